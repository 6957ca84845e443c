"""Records: one JSON file per evaluated setting, with all that a number needs to be believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from evaluation.console import visible
from evaluation.records.json_file import read_json
from evaluation.records.names import file_name
from evaluation.records.schema import (
    Code,
    Cost,
    Counts,
    Created,
    Description,
    Key,
    Model,
    Names,
    Scores,
    Shares,
    in_words,
    short,
)  # fmt: skip
from evaluation.whole_files import write_json
from gem.options import Count, PositiveInt

SCHEMA = 2
IMAGES = ".images.npz"  # what the file of counts by image ends with


@dataclass(frozen=True)
class Record:
    """What one evaluation found and under which circumstances; `checked.make_record` makes one.

    names: what the parts of the setting are called: dataset, method, title and published (of the
    segmenter), options, model, protocol. scores: shares in [0, 1], the headline first; None where
    nothing of the kind occurred. titles: what tables call the scores that have a column.
    ``hashes`` tell which weights, vocabulary, protocol, samples and files were used; two records
    with the same ``key`` are of the same setting and, of the same data, have the same scores.
    model: its name, its weights and their sha256, and under ``text`` the sha256 of the embeddings
    of the words as they were used. The last is for looking at, not for comparing: another CPU
    rounds them otherwise. Records from before it was kept lack it.

    A file may come from anywhere: its types are checked when it is read, and when it is written.
    Building one in Python checks nothing.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    schema: Count
    key: Key
    names: Names
    setting: Description
    scores: Scores
    titles: dict[str, str]
    per_class: Shares
    counts: Counts
    images: Count
    limit: PositiveInt | None
    warnings: list[str]
    model: Model
    hashes: dict[str, str | None]
    cost: Cost
    code: Code
    created: Created

    @property
    def headline(self) -> float | None:
        """The first score."""
        return next(iter(self.scores.values()))

    @property
    def file_name(self) -> str:
        """A name that a reader of the folder understands, unique by the key."""
        return file_name(self.names, self.key)

    @property
    def random(self) -> bool:
        """Whether the weights were random, so that the scores mean nothing."""
        return self.model["sha256"] is None

    @property
    def images_per_second(self) -> float | None:
        """The speed of the setting; None if it shared its pass with others."""
        alone = self.cost.get("settings_in_pass", 1) == 1
        return float(self.cost["images_per_second"]) if alone else None


def write_record(record: Record, folder: Path) -> Path:
    """Write atomically: the file is there whole or not at all.

    Raises ValueError for a record that `read_record` would not read.
    """
    content = asdict(record)
    try:
        _checked(content)
    except ValueError as error:
        raise ValueError(f"no record can be written of it: {error}") from error
    path = folder / record.file_name
    write_json(path, content)
    return path


def read_record(path: Path) -> Record:
    """A record from its file. Raises ValueError, one sentence, if it is none; or OSError."""
    try:
        return _checked(read_json(path))
    except ValueError as error:
        raise ValueError(f"{path} is not a record: {error}") from error


def read_records(folder: Path) -> tuple[list[tuple[Record, Path]], list[str]]:
    """The records of a folder, oldest first, and the files that are none: name and reason.

    Of two files with the same key (a copy under another name) the newer record counts. Hidden
    files, and folders that are not called as a record, are not looked at. Raises
    FileNotFoundError if there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    found: dict[str, tuple[Record, Path]] = {}
    others = []
    for path in _files(folder):
        try:
            record = _checked(read_json(path))
        except (ValueError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            others.append(visible(f"{path.name}: {reason}"))
            continue
        known = found.get(record.key)
        if known is None or known[0].created <= record.created:
            found[record.key] = (record, path)
    return sorted(found.values(), key=lambda one: (one[0].created, one[1].name)), others


def find_file(word: str, folder: Path) -> tuple[Record, Path]:
    """A record by its file, or by its key, or the beginning of it, in a folder.

    Raises ValueError if there is none, or if several begin so, and as `read_record`.
    """
    if (path := Path(word)).is_file():
        return read_record(path), path
    found = read_records(folder)[0] if folder.is_dir() and word else []
    some = [pair for pair in found if pair[0].key.startswith(word)]
    if len(some) == 1:
        return some[0]
    keys = ", ".join(record.key for record, _ in some[:3])
    raise ValueError(
        f"{word}: {len(some)} records of {folder} have such a key ({keys}), expected one"
        if some
        else f"{word}: there is no such file, and no record of {folder} has such a key"
    )


def _files(folder: Path) -> Iterator[Path]:
    """The entries of a folder by name; ``alone``, the folder of speeds, is not looked into.

    Counts by image lie beside their record, and are none (`evaluation.records.image_counts`).
    """
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith(IMAGES):
            continue
        if path.suffix == ".json" or not path.is_dir():
            yield path


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def _checked(content: Any) -> Record:
    """The record of a file's content. Raises ValueError, one sentence that names no file."""
    if not isinstance(content, dict) or "schema" not in content:
        raise ValueError(f"expected schema {SCHEMA}, found none")
    if content["schema"] != SCHEMA:
        raise ValueError(f"expected schema {SCHEMA}, found {short(content['schema'])}")
    try:
        record = _adapter().validate_python(content)
    except ValidationError as error:
        raise ValueError(in_words(error)) from None
    _check_sense(record)
    return record


def _check_sense(record: Record) -> None:
    """Raise ValueError where fields contradict each other, so that a reader would be misled."""
    unknown = [name for name in record.titles if name not in record.scores]
    if unknown or not record.titles:
        found = short(unknown[0]) if unknown else "none"
        raise ValueError(f"titles: expected those of scores, found {found}")
    if record.limit is not None and record.images > record.limit:
        raise ValueError(f"images: found {record.images}, more than the limit of {record.limit}")
    if record.hashes.get("weights") != record.model["sha256"]:
        raise ValueError("hashes.weights: expected model.sha256")
