"""The root of a rehearsal: whose folder it is, and whether the disk has room for it."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluation.data.on_disk import OnDisk
from evaluation.whole_files import PART, prepare_folder, write_json

MARK, RESULTS, MANIFESTS = "rehearsal.json", "rehearsal", "manifests"
VERSION = 1  # of the drawings: raised when the same seed gives other bytes


@dataclass(frozen=True)
class Wanted:
    """What a root holds: so many images of a data set, all if it is None, drawn from a seed."""

    dataset: str
    count: int | None
    seed: int
    version: int = VERSION

    def __str__(self) -> str:
        count = "null" if self.count is None else self.count
        return f"dataset={self.dataset} count={count} seed={self.seed}"


def top_of(dataset: OnDisk) -> str:
    """The folder in the root that the layout begins with."""
    return dataset.image_path("x").relative_to(dataset.root).parts[0]


def check_root(root: Path, wanted: Wanted, top: str) -> None:
    """Raise ValueError if the root is neither empty nor the root of this rehearsal."""
    if not root.exists():
        return
    if not root.is_dir():
        raise ValueError(f"root={root}: it is a file, expected a folder")
    here = sorted(path.name for path in root.iterdir() if not PART.fullmatch(path.name))
    ours = MARK in here and _read_mark(root)
    known = {MARK, RESULTS, MANIFESTS, top} if ours else set()
    if others := [name for name in here if name not in known]:
        raise ValueError(
            f"root={root}: it has {others[0]}, which no rehearsal has made there, expected an "
            "empty folder"
        )
    if ours and {**ours, "what": ""} != {**_mark(wanted), "what": ""}:
        was = Wanted(*(ours.get(name) for name in ("dataset", "count", "seed")))  # type: ignore[arg-type]
        version = "" if ours.get("version") == VERSION else " by another version of this script"
        raise ValueError(
            f"root={root}: it has the rehearsal of {was}{version}, expected that of {wanted}, or "
            "another root"
        )


def check_disk(root: Path, size: int) -> int:
    """How many bytes are free. Raises OSError if there are fewer than are needed."""
    place = next(one for one in (root, *root.absolute().parents) if one.exists())
    free = shutil.disk_usage(place).free
    if free < size:
        raise OSError(
            f"root={root}: {amount(size)} are needed, and {amount(free)} are free; say a smaller "
            "count, or another root"
        )
    return free


def amount(size: int) -> str:
    """Bytes as a person reads them."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def begin(root: Path, wanted: Wanted) -> None:
    """Make the root, with its mark: the first that is written. Raises PermissionError."""
    prepare_folder(root, key="root")
    write_json(root / MARK, _mark(wanted))


def remove(root: Path, top: str) -> None:
    """Delete what was drawn; the mark and the results stay."""
    for name in (top, MANIFESTS):
        shutil.rmtree(root / name, ignore_errors=True)


def _mark(wanted: Wanted) -> dict[str, Any]:
    what = f"drawn images in the layout of {wanted.dataset}: this is no data set"
    return {"what": what, **asdict(wanted)}


def _read_mark(root: Path) -> Mapping[str, Any]:
    """What the mark says; nothing if it is none of ours."""
    try:
        found = json.loads((root / MARK).read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return {}
    return found if isinstance(found, dict) else {}
