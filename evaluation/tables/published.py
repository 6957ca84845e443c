"""Published numbers as data: every cell is its value, and the words for run.py that make it.

The files are ``results/published/*.yaml``. A table has words that all its cells share; each
column and each row adds its own, and a cell may add some that choose one reading of a paper that
contradicts itself. A row without words is not run and says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from evaluation.places import PUBLISHED
from evaluation.tables.overrides import key_of


@dataclass(frozen=True)
class Cell:
    """One number. ``words`` make it with run.py; empty if it is not run, and ``why`` says why.

    published: in the unit of the table (percent, or images/s), None where the paper has none.
    own: those of the words that no other cell has: they choose a reading, as a footnote says.
    score: of the record, ``miou`` or ``pmiou``; or ``speed``, images/s.
    notes: marks of footnotes of the table.
    """

    published: float | None
    words: tuple[str, ...]
    own: tuple[str, ...]
    why: str
    score: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A column of numbers and the words that it adds."""

    name: str
    words: tuple[str, ...]
    score: str


@dataclass(frozen=True)
class Row:
    """What a row is called, by the table's keys; more about it; its cells, one per column."""

    key: tuple[str, ...]
    about: tuple[str, ...]
    notes: Mapping[str, tuple[str, ...]]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A published table.

    place: where in the source. protocol: how its numbers were made, as far as it says.
    keys, about: names of the texts of a row. footnotes: by mark. general: notes on all cells.
    tiny: words that fit the protocol to the 64 pixels of the embedded model.
    """

    name: str
    title: str
    source: str
    place: str
    protocol: str
    keys: tuple[str, ...]
    about: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    footnotes: Mapping[str, str]
    general: tuple[str, ...]
    tiny: tuple[str, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, row by row."""
        return tuple(cell for row in self.rows for cell in row.cells)


def names() -> tuple[str, ...]:
    """The tables there are: ``1`` to ``6``, ``clearclip``, ``figure5``."""
    return tuple(sorted(path.stem.removeprefix("table") for path in PUBLISHED.glob("*.yaml")))


@cache
def load_table(name: str) -> Table:
    """A table by name. Raises ValueError if there is none, or if its file does not fit itself."""
    paths = [PUBLISHED / f"{prefix}{name}.yaml" for prefix in ("table", "")]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise ValueError(f"table={name}: expected one of {', '.join(names())} or all")
    raw: dict[str, Any] = yaml.safe_load(found.read_text(encoding="utf-8"))
    scores = raw.get("scores", {})
    columns = tuple(
        Column(name=column, words=tuple(words), score=scores.get(column, raw["score"]))
        for column, words in raw["columns"].items()
    )
    table = Table(
        name=name,
        title=raw["title"],
        source=raw["source"],
        place=raw["place"],
        protocol=raw["protocol"],
        keys=tuple(raw["keys"]),
        about=tuple(raw.get("about", ())),
        columns=columns,
        rows=tuple(_row(row, columns, raw["words"]) for row in raw["rows"]),
        footnotes=raw["footnotes"],
        general=tuple(raw["general"]),
        tiny=tuple(raw.get("tiny", ())),
    )
    _check(table)
    return table


def _row(raw: Mapping[str, Any], columns: Sequence[Column], shared: Sequence[str]) -> Row:
    notes = {place: tuple(marks) for place, marks in raw.get("notes", {}).items()}
    kept = [word for word in shared if key_of(word) not in raw.get("drop", ())]
    cells = []
    for column, value in zip(columns, raw["values"], strict=True):
        own = tuple(raw.get("cells", {}).get(column.name, ()))
        words = (*kept, *column.words, *raw["words"], *own) if "words" in raw else ()
        cells.append(
            Cell(
                published=value,
                words=words,
                own=own,
                why=raw.get("why", ""),
                score=column.score,
                notes=notes.pop(column.name, ()),
            )
        )
    return Row(
        key=tuple(raw["key"]), about=tuple(raw.get("about", ())), notes=notes, cells=tuple(cells)
    )


def _check(table: Table) -> None:
    """Raise ValueError where a file contradicts itself."""
    for row in table.rows:
        called = f"table {table.name}, row {' '.join(row.key)}"
        if len(row.key) != len(table.keys) or len(row.about) not in {0, len(table.about)}:
            raise ValueError(f"{called}: expected {', '.join((*table.keys, *table.about))}")
        if any(bool(cell.words) == bool(cell.why) for cell in row.cells):
            raise ValueError(f"{called}: expected either words or why")
        used = {mark for cell in row.cells for mark in cell.notes}
        used |= {mark for marks in row.notes.values() for mark in marks}
        if unknown := sorted(used - set(table.footnotes)) or sorted(set(row.notes) - {*table.keys}):
            raise ValueError(f"{called}: there is no footnote or column {unknown[0]}")
