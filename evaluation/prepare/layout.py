"""Data sets by name, as ``configs/dataset`` has them but without Hydra, and what is there."""

from __future__ import annotations

import dataclasses
import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from evaluation.data.card import Archive, Card, load_card
from evaluation.data.on_disk import OnDisk
from evaluation.data.sample import Dataset
from evaluation.places import CONFIGS
from evaluation.prepare.archive import is_archive
from evaluation.prepare.part import Part


def names() -> tuple[str, ...]:
    """Every data set that has a config, sorted."""
    return tuple(sorted(path.stem for path in (CONFIGS / "dataset").glob("*.yaml")))


def build(name: str, root: Path, changes: Mapping[str, Any] | None = None) -> Dataset:
    """The data set under that root; ``changes`` are further fields of its reader.

    Samples without files are left out, so that a partial set can be looked at.
    Raises ValueError for an unknown name or field, listing those there are, and a wrong value.
    """
    path = CONFIGS / "dataset" / f"{name}.yaml"
    if not path.is_file():
        raise ValueError(f"dataset={name}: no such choice; dataset is one of {', '.join(names())}")
    fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    module, reader = fields.pop("_target_").rsplit(".", 1)
    kind = getattr(importlib.import_module(module), reader)
    known = {field.name for field in dataclasses.fields(kind)}
    if unknown := sorted(set(changes or {}) - known):
        raise ValueError(f"{unknown[0]}: dataset={name} has {', '.join(sorted(known))}")
    if "root" in known:
        fields["root"] = str(root)
    if "missing" in known:
        fields["missing"] = "skip"
    return _read_options(kind, fields | dict(changes or {}))


def _read_options(kind: type[Dataset], fields: dict[str, Any]) -> Dataset:
    """The reader of these fields. Raises ValueError, in one sentence, for a wrong value."""
    try:
        return kind(**fields)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise ValueError(f"dataset.{place}={wrong['input']}: {wrong['msg'].lower()}") from error


@dataclass(frozen=True)
class Survey:
    """How much of a data set is there.

    listed: samples of the split, as far as its list is there; present: those with all files;
    expected: how many the official split has; note: why nothing could be listed; broken: whether
    that is because the list is there but cannot be read.
    """

    listed: int
    present: int
    expected: int
    note: str = ""
    broken: bool = False

    @property
    def complete(self) -> bool:
        """Whether every image of the official split is there."""
        return self.present == self.expected

    @property
    def state(self) -> str:
        """In a few words."""
        if self.broken:
            return "unreadable"
        if self.complete:
            return f"complete, {self.present}"
        return f"partial, {self.present} of {self.expected}" if self.present else "missing"


def survey(dataset: OnDisk) -> Survey:
    """Count the files; none is opened but the list of samples."""
    expected = card_of(dataset).images or 0
    try:
        listed, present = dataset.listed, dataset.present
    except (OSError, ValueError) as error:
        broken = not isinstance(error, FileNotFoundError)
        return Survey(listed=0, present=0, expected=expected, note=str(error), broken=broken)
    return Survey(listed=len(listed), present=len(present), expected=expected or len(listed))


def card_of(dataset: Dataset) -> Card:
    """The card as it is written: some data sets take their classes from files."""
    name = getattr(dataset, "dataset", None)
    return load_card(name) if name else dataset.card


def is_writable(root: Path) -> bool:
    """Whether files may be made under the root; one without write permission counts for all."""
    if not root.exists():
        return True
    return bool(root.stat().st_mode & 0o222) and os.access(root, os.W_OK)


def downloads_folder(root: Path) -> Path:
    """Where archives are kept; they can be deleted once a data set is complete."""
    return root / "downloads"


def download_path(item: Archive, root: Path) -> Path:
    """Where a download goes: archives into ``downloads/``, other files to their place."""
    if is_archive(Path(item.file_name)):
        return downloads_folder(root) / item.file_name
    return root / item.into / item.file_name


def is_started(card: Card, root: Path) -> bool:
    """Whether an archive of this data set is there, or a part of any of its downloads."""
    paths = [download_path(item, root) for item in card.downloads]
    archives = [path for path in paths if is_archive(path)]
    return any(path.is_file() for path in (*archives, *(Part(path).path for path in paths)))
