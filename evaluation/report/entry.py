"""A record as its panel of the page shows it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from evaluation.console import visible
from evaluation.records.checked import other_code
from evaluation.records.record import Record, read_records

LONGEST = 32  # letters of an option that is never broken: a file with its folders may be


@dataclass(frozen=True)
class Entry:
    """A record and the file that it was read from, named as a command would name it."""

    record: Record
    file: str

    @property
    def random(self) -> bool:
        """Whether the weights were random, so that the scores mean nothing."""
        return self.record.random

    @property
    def method(self) -> str:
        """The method's name."""
        return self.record.names["method"]

    @property
    def samples(self) -> str:
        """The hash of the samples that were evaluated."""
        return str(self.record.hashes.get("samples"))

    @property
    def label(self) -> str:
        """The method's name as papers write it."""
        return self.record.names["title"]

    @property
    def parts(self) -> dict[str, str]:
        """What else the number depends on, for columns of the table."""
        record = self.record
        weights = str(record.model["weights"])
        return {
            "model": record.names["model"],
            "weights": weights if "/" not in weights else weights.rsplit("/", 1)[-1],
            "protocol": record.names["protocol"],
            "words": _words(record.setting.get("vocabulary")),
            "prompts": _templates(record.setting.get("prompts")),
        }

    @property
    def options(self) -> str:
        """Its options that are not the defaults."""
        return self.record.names["options"]

    @property
    def option_words(self) -> list[tuple[str, bool]]:
        """Each option as one word, and whether it is so long that it may be broken."""
        return [(word, len(word) > LONGEST) for word in self.options.split()]

    @property
    def search_text(self) -> str:
        """What the search field looks in."""
        words = [self.label, self.method, self.options, *self.parts.values(), self.record.key]
        return " ".join(words).lower()

    @property
    def rank(self) -> tuple[object, ...]:
        """Its place in a table: methods as they were published, then options, as numbers."""
        place = self.record.names["published"] or "9999"
        words = [word.partition("=") for word in self.options.split()]
        options = [(name, _number(value), value) for name, _, value in words]
        return (place, self.method, options, *self.parts.values())

    @cached_property
    def since(self) -> str:
        """The files in which the code is another one now; empty if in none."""
        return ", ".join(other_code(self.record))

    @property
    def config(self) -> str:
        """The whole resolved config as YAML."""
        return yaml.safe_dump(self.record.setting, sort_keys=False, allow_unicode=True, width=76)

    @property
    def command(self) -> str:
        """The command that runs this setting again and compares every number."""
        return f"python scripts/records.py rerun {shlex.quote(self.file)}"

    @property
    def classes(self) -> list[tuple[str, float | None]]:
        """Classes with their headline score in percent, the best first, None last."""
        found = [(name, in_percent(value)) for name, value in self.record.per_class.items()]
        return sorted(found, key=lambda item: -1.0 if item[1] is None else item[1], reverse=True)

    @property
    def scores(self) -> list[tuple[str, float | None]]:
        """Titles of the scores that have a column in tables, with the scores in percent."""
        record = self.record
        return [(title, in_percent(record.scores[name])) for name, title in record.titles.items()]

    @property
    def readings(self) -> list[tuple[str, float | None]]:
        """Scores that have no column in tables (points in every reading), in percent."""
        record = self.record
        found = [name for name in record.scores if name not in record.titles]
        return [(name, in_percent(record.scores[name])) for name in found]


def read_entries(folder: Path) -> tuple[list[Entry], list[str]]:
    """The records of a folder, oldest first, and the files that are none, each with the reason.

    Raises FileNotFoundError if there is no such folder.
    """
    found, others = read_records(folder)
    return [Entry(record, visible(_from_here(path).as_posix())) for record, path in found], others


def _words(vocabulary: Any) -> str:
    """The family of a record's words; "own" for a user's."""
    found = vocabulary if isinstance(vocabulary, dict) else {}
    return "own" if found.get("words") else str(found.get("family") or "unknown")


def _templates(prompts: Any) -> str:
    """How many templates of a word the mean was taken of; which they are is in the config."""
    found = prompts.get("templates") if isinstance(prompts, dict) else None
    return str(len(found)) if isinstance(found, list) else "unknown"


def _number(text: str) -> float:
    """What the text says as a number; 0 if it says none."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def _from_here(path: Path) -> Path:
    """The path as a command in the current folder would name it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def origin(entry: Entry) -> list[tuple[str, str]]:
    """Where a record comes from, for its panel."""
    record = entry.record
    cost = {name.replace("_", " "): str(value) for name, value in record.cost.items()}
    return [
        ("created", record.created),
        ("commit", commit_of(record, full=True)),
        ("code since then", entry.since or "the same"),
        ("python", str(record.code.get("python", "unknown"))),
        *((str(name), str(value)) for name, value in record.code.get("packages", {}).items()),
        *cost.items(),
    ]


def commit_of(record: Record, *, full: bool = False) -> str:
    """The commit, and whether the tree differed from it."""
    commit = str(record.code.get("commit") or "unknown commit")
    return (commit if full else commit[:7]) + (", changed" if record.code.get("dirty") else "")


def in_percent(value: float | None) -> float | None:
    """A share in [0, 1] as a percentage."""
    return None if value is None else 100 * value
