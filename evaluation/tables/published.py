"""Published numbers as data: every cell is its value, and the overrides of run.py that make it.

The files are ``results/published/*.yaml``. A table has overrides that all its cells share; each
column and each row adds its own, and a cell may add some that choose one reading of a paper that
contradicts itself. A row without overrides is not run and says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from functools import cache
from typing import Any, Literal

import yaml

from evaluation.places import PUBLISHED
from evaluation.tables.overrides import value_of, without
from gem.options import options


@options
class PublishedCell:
    """One number. Its overrides make it with run.py; none if it is not run, and ``why`` says why.

    published: in the unit of the table (percent, or images/s), None where the paper has none.
    shared: the overrides of its table, column and row. own: those that no other cell has; they
        choose a reading, as a footnote says.
    score: of the record, ``miou`` or ``pmiou``; or ``speed``, images/s.
    notes: marks of footnotes of the table.
    """

    published: float | None
    shared: tuple[str, ...]
    own: tuple[str, ...]
    why: str
    score: str
    notes: tuple[str, ...]

    @property
    def overrides(self) -> tuple[str, ...]:
        """All that make the number."""
        return (*self.shared, *self.own)


@options
class PublishedColumn:
    """A column of numbers and the overrides that it adds."""

    name: str
    overrides: tuple[str, ...]
    score: str


@options
class PublishedRow:
    """What a row is called, by the table's keys; more about it; its cells, one per column."""

    key: tuple[str, ...]
    about: tuple[str, ...]
    notes: dict[str, tuple[str, ...]]
    cells: tuple[PublishedCell, ...]


@options
class PublishedFigure:
    """How a table's numbers are drawn, into files called ``name``.

    kind: a line per column over the number that each row has under ``over``; a row of dots per
        row of the table; or speeds against scores, column by column.
    x, y: titles of the axes. only: texts that a row must have to be drawn. log: of the x axis.
    """

    name: str
    title: str
    kind: Literal["lines", "dots", "scatter"]
    x: str
    y: str = ""
    over: str = ""
    only: dict[str, str] = field(default_factory=dict)
    log: bool = False


@options
class PublishedTable:
    """A published table.

    place: where in the source. protocol: how its numbers were made, as far as it says.
    keys, about: names of the texts of a row. footnotes: by mark. general: notes on all cells.
    tiny: overrides that fit the protocol to the 64 pixels of the embedded model.
    """

    name: str
    title: str
    source: str
    place: str
    protocol: str
    keys: tuple[str, ...]
    columns: tuple[PublishedColumn, ...]
    rows: tuple[PublishedRow, ...]
    footnotes: dict[str, str]
    general: tuple[str, ...]
    about: tuple[str, ...] = ()
    tiny: tuple[str, ...] = ()
    figure: PublishedFigure | None = None

    @property
    def first(self) -> tuple[str, ...]:
        """The overrides of the first cell that is run; a given file is of its backbone."""
        return next((cell.overrides for cell in self.cells if cell.overrides), ())

    def fitting(self, given: Sequence[str]) -> tuple[str, ...]:
        """The overrides that fit the protocol to the model that the user gives."""
        return self.tiny if value_of(given, "backbone") == "tiny" else ()

    @property
    def cells(self) -> tuple[PublishedCell, ...]:
        """All cells, row by row."""
        return tuple(cell for row in self.rows for cell in row.cells)


def names() -> tuple[str, ...]:
    """The tables there are: ``1`` to ``6``, ``clearclip``, ``figure5``."""
    return tuple(sorted(path.stem.removeprefix("table") for path in PUBLISHED.glob("*.yaml")))


@cache
def load_table(name: str) -> PublishedTable:
    """A table by name. Raises ValueError if there is none, or if its file does not fit itself."""
    paths = [PUBLISHED / f"{prefix}{name}.yaml" for prefix in ("table", "")]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise ValueError(f"table={name}: expected one of {', '.join(names())} or all")
    raw: dict[str, Any] = yaml.safe_load(found.read_text(encoding="utf-8"))
    score, scores, shared = raw.pop("score"), raw.pop("scores", {}), raw.pop("overrides")
    columns = tuple(
        PublishedColumn(name=column, overrides=overrides, score=scores.get(column, score))
        for column, overrides in raw.pop("columns").items()
    )
    rows = tuple(_row(row, columns, shared) for row in raw.pop("rows"))
    table = PublishedTable(name=name, columns=columns, rows=rows, **raw)
    _check(table)
    return table


def _row(
    raw: dict[str, Any], columns: Sequence[PublishedColumn], shared: Sequence[str]
) -> PublishedRow:
    notes, own = raw.get("notes", {}), raw.get("cells", {})
    kept = without(shared, *raw.get("drop", ()))
    cells = tuple(
        PublishedCell(
            published=value,
            shared=(*kept, *column.overrides, *raw["overrides"]) if "overrides" in raw else (),
            own=own.get(column.name, ()),
            why=raw.get("why", ""),
            score=column.score,
            notes=notes.pop(column.name, ()),
        )
        for column, value in zip(columns, raw["values"], strict=True)
    )
    return PublishedRow(key=raw["key"], about=raw.get("about", ()), notes=notes, cells=cells)


def _check(table: PublishedTable) -> None:
    """Raise ValueError where a file contradicts itself."""
    for row in table.rows:
        called = f"table {table.name}, row {' '.join(row.key)}"
        if len(row.key) != len(table.keys) or len(row.about) not in {0, len(table.about)}:
            raise ValueError(f"{called}: expected {', '.join((*table.keys, *table.about))}")
        if any(bool(cell.overrides) == bool(cell.why) for cell in row.cells):
            raise ValueError(f"{called}: expected either overrides or why")
        used = {mark for cell in row.cells for mark in cell.notes}
        used |= {mark for marks in row.notes.values() for mark in marks}
        if unknown := sorted(used - set(table.footnotes)) or sorted(set(row.notes) - {*table.keys}):
            raise ValueError(f"{called}: there is no footnote or column {unknown[0]}")
