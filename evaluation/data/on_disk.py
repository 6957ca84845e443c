"""What the readers of files on disk share: roots, lists of ids, what is missing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import Annotated, Literal, Protocol, TypeGuard

from pydantic import AfterValidator

from evaluation.data.sample import Dataset
from evaluation.places import CARDS

Missing = Literal["refuse", "skip"]
OWN_LISTS = "datasets/splits/"
UNUSABLE = re.compile("[\\x00-\\x1f\\x7f\\ud800-\\udfff]")
"""What no name of a file should have: control characters, and halves of a character."""


def _check_pattern(pattern: str) -> str:
    rest = pattern.replace("{id}", "")
    if rest == pattern or "{" in rest or "}" in rest:
        raise ValueError("expected a path with {id}, the id of a sample, and no other braces")
    if pattern.startswith("/") or UNUSABLE.search(pattern):
        raise ValueError("expected a path relative to dataset.root")
    return pattern


Pattern = Annotated[str, AfterValidator(_check_pattern)]
"""Where the file of a sample lies, relative to a root: ``images/{id}.jpg``."""


class OnDisk(Dataset, Protocol):
    """A data set whose images lie in files under one root."""

    @property
    def root(self) -> str:
        """The folder that holds the official layout."""

    @property
    def listed(self) -> tuple[str, ...]:
        """Ids of the whole split, whether their files are there or not."""

    @property
    def present(self) -> tuple[str, ...]:
        """The listed ids whose files are all there."""

    def image_path(self, sample_id: str) -> Path:
        """The file of an image."""

    def files(self, ids: Sequence[str]) -> Iterable[Path]:
        """Every file that these samples are read from."""


class WithFiles(Protocol):
    """A data set that says which files it reads."""

    def files(self, ids: Sequence[str]) -> Iterable[Path]:
        """Every file that these samples are read from."""


def _has_files(dataset: object) -> TypeGuard[WithFiles]:
    return hasattr(type(dataset), "files")


def on_disk(dataset: Dataset) -> TypeGuard[OnDisk]:
    """Whether a data set is read from files under a root. Looks at its class, touches no file."""
    return hasattr(type(dataset), "image_path")


def fingerprint_data(dataset: Dataset, ids: Sequence[str]) -> str | None:
    """Twelve hexadecimal digits for the names and sizes of the files that samples are read from.

    None if there are no such files: data that is drawn. No file is opened, and times do not count:
    a copy of the data is the same data. Looked up once by each reader, which keeps it as it keeps
    its lists.
    """
    if not _has_files(dataset):
        return None
    known: dict[tuple[str, ...], str] = vars(dataset).setdefault("fingerprints", {})
    if tuple(ids) not in known:
        found = hashlib.sha256()
        for path in dataset.files(ids):
            found.update(f"{path.name} {path.stat().st_size}\n".encode())
        known[tuple(ids)] = found.hexdigest()[:12]
    return known[tuple(ids)]


def check_root(root: str, needed: str) -> None:
    """Raise FileNotFoundError if the root is no folder or lacks ``needed``, relative to it."""
    if not Path(root).is_dir():
        raise FileNotFoundError(f"dataset.root={root}: there is no such folder")
    if not (Path(root) / needed).exists():
        raise FileNotFoundError(
            f"dataset.root={root} has no {needed}: the root is the folder that "
            f"holds {Path(needed).parts[0]}/"
        )


def list_path(root: str, listing: str) -> Path:
    """The file of a list: in this project if it is one of ``datasets/splits``, else in the root."""
    if listing.startswith(OWN_LISTS):
        return CARDS.parent / listing
    return Path(root) / listing


def read_list(root: str, listing: str) -> tuple[str, ...]:
    """The ids of a split file, one a line, without spaces around it.

    Raises if the file is missing, empty or no UTF-8, or if an id is there twice or is none.
    """
    path = list_path(root, listing)
    check_root(root, "." if listing.startswith(OWN_LISTS) else listing)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} cannot be read as a list of ids: it is not UTF-8") from error
    ids = tuple(filter(None, map(str.strip, text.split("\n"))))
    if not ids:
        raise ValueError(f"{path}: the split is empty")
    check_ids(ids, str(path))
    return ids


def check_ids(ids: Sequence[str], source: str) -> None:
    """Raise ValueError for an id that is there twice, or that leads out of a folder.

    Ids become names of files, of images as of predictions. ``source`` is named in errors.
    """
    for name in ids:
        if not name or name.startswith("/") or ".." in name.split("/") or UNUSABLE.search(name):
            raise ValueError(f"{source}: the id {name!r} cannot be the name of a file in a folder")
    if len(set(ids)) < len(ids):
        name, count = Counter(ids).most_common(1)[0]
        raise ValueError(f"{source}: the id {name!r} is there {count} times, expected once")


def list_folder(root: str, pattern: str) -> tuple[str, ...]:
    """The ids, sorted, for which a file of the pattern with ``{id}`` exists.

    An id may hold folders: ``frankfurt/frankfurt_000000_000294`` of Cityscapes.
    """
    if pattern.count("{id}") > 1:
        raise ValueError(
            f"dataset.mask={pattern}: {{id}} is there more than once, which needs a "
            "dataset.listing of the ids"
        )
    before, after = pattern.split("{id}")
    folder, _, start = before.rpartition("/")
    check_root(root, folder)
    parent = Path(root) / folder
    files = (path for path in parent.glob(f"**/*{escape(after)}") if path.is_file())
    names = (path.relative_to(parent).as_posix() for path in files)
    ids = sorted(
        name[len(start) : len(name) - len(after)] for name in names if name.startswith(start)
    )
    if not ids:
        raise FileNotFoundError(f"dataset.root={root} has no file {pattern.format(id='*')}")
    check_ids(ids, f"dataset.root={root}")
    return tuple(ids)


def check_some(dataset: OnDisk, present: tuple[str, ...]) -> tuple[str, ...]:
    """The samples that are there. Raises FileNotFoundError if there are none."""
    if not present:
        raise FileNotFoundError(
            f"dataset.root={dataset.root}: none of the {len(dataset.listed)} samples is there, "
            f"expected {dataset.card.layout}"
        )
    return present


def check_files(patterns: Mapping[str, Sequence[Path]]) -> None:
    """Raise FileNotFoundError if files are missing: of which kind, how many, and the first."""
    for kind, paths in patterns.items():
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise FileNotFoundError(
                f"{len(missing)} of {len(paths)} {kind}s are missing; the first is {missing[0]}; "
                "dataset.missing=skip leaves them out"
            )
