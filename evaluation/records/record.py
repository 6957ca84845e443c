"""Records: one JSON file per evaluated setting, with all that a number needs to be believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluation.records.names import NAMES, file_name
from evaluation.whole_files import write_json

SCHEMA = 2


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
    """

    schema: int
    key: str
    names: dict[str, str]
    setting: dict[str, Any]
    scores: dict[str, float | None]
    titles: dict[str, str]
    per_class: dict[str, float | None]
    counts: dict[str, list[Any]]
    images: int
    limit: int | None
    warnings: list[str]
    model: dict[str, str | None]
    hashes: dict[str, str | None]
    cost: dict[str, float | str | int]
    code: dict[str, Any]
    created: str

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
    """Write atomically: the file is there whole or not at all."""
    path = folder / record.file_name
    write_json(path, asdict(record))
    return path


def read_record(path: Path) -> Record:
    """A record from its file. Raises ValueError if it is none or of another schema."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise ValueError(f"{path} has schema {content['schema']}, expected {SCHEMA}")
        record = Record(**content)
        _check_parts(record)
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is not a record: {error}") from error
    return record


def _check_parts(record: Record) -> None:
    """Raise what a damaged part raises when it is read: every reader meets the same damage."""
    _ = [record.names[name] for name in NAMES]
    _ = [record.model[name] for name in ("name", "weights", "sha256")]
    _ = (record.cost["images_per_second"], record.cost["device"], record.code["commit"])
    _ = (record.code["dirty"], record.setting["_target_"], record.scores[next(iter(record.titles))])
    for part in (record.scores, record.titles, record.per_class, record.hashes):
        part.items()


def read_records(folder: Path) -> tuple[list[tuple[Record, Path]], list[str]]:
    """The records of a folder, oldest first, and the names of the files that are none.

    Of two files with the same key (a copy under another name) the newer record counts. Hidden
    files are not looked at. Raises FileNotFoundError if there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    found: dict[str, tuple[Record, Path]] = {}
    others = []
    for path in _files(folder):
        try:
            record = read_record(path)
        except (ValueError, OSError):
            others.append(path.name)
            continue
        known = found.get(record.key)
        if known is None or known[0].created <= record.created:
            found[record.key] = (record, path)
    return sorted(found.values(), key=lambda one: (one[0].created, one[1].name)), others


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder by name; ``alone``, the folder of speeds, is not looked into."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            yield path
