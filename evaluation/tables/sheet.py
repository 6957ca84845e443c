"""The paper's tables with ours beside them: columns of texts and numbers, and their notes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evaluation.tables.cells import PlannedCell, PlannedColumn, TablePlan
from evaluation.tables.fill import TableResults, value_in
from evaluation.tables.notes import notes_of
from evaluation.tables.table import PublishedTable, Summary

SUMMARIES: dict[Summary, Callable[[Sequence[float]], float]] = {
    "lowest": min, "highest": max, "spread": lambda numbers: max(numbers) - min(numbers),
}  # fmt: skip


@dataclass(frozen=True)
class SheetColumn:
    """A column of a sheet, ready to be shown.

    cells: by row, numbers or texts; None where nothing was published.
    decimals: of its numbers; None for a column of texts. signed: of differences.
    hidden: in the CSV only.
    marks: of footnotes, by row. best: rows of the largest numbers.
    keys: of the records of our numbers, by row; speeds, recorded elsewhere, have none.
    measured: whether its numbers are ours.
    """

    name: str
    cells: Sequence[object]
    decimals: int | None = None
    signed: bool = False
    hidden: bool = False
    marks: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    best: frozenset[int] = frozenset()
    keys: Mapping[int, str] = field(default_factory=dict)
    measured: bool = False

    def shown(self, row: int) -> str:
        """A cell as text: decimals, sign, and a dash where nothing was published."""
        value = self.cells[row]
        if isinstance(value, float):
            return f"{value:{'+' if self.signed else ''}.{self.decimals}f}"
        return "-" if value is None or value == "" else str(value)

    def shown_marks(self, row: int) -> list[str]:
        """Footnotes of a cell; a name that is published with its star needs no second one."""
        return [mark for mark in self.marks.get(row, ()) if not self.shown(row).endswith(mark)]


@dataclass(frozen=True)
class TableSheet:
    """A table ready to be shown.

    columns: texts of the rows, then per column of ours the published numbers, ours, the difference
        where both have the same data, weights and protocol, and the number of images. Where ours
        has no number it says why.
    summary: how many of the last rows are computed from those above them.
    """

    name: str
    title: str
    columns: tuple[SheetColumn, ...]
    footnotes: Mapping[str, str]
    notes: tuple[str, ...]
    summary: int = 0

    @property
    def printed(self) -> list[SheetColumn]:
        """The columns that are printed; the others are in the CSV only."""
        return [column for column in self.columns if not column.hidden]

    @property
    def rows(self) -> range:
        """The numbers of the rows."""
        return range(len(self.columns[0].cells))

    @property
    def frame(self) -> pd.DataFrame:
        """All columns, numbers in full."""
        return pd.DataFrame({one.name: pd.Series(one.cells, dtype=object) for one in self.columns})


def make_sheet(plan: TablePlan, results: TableResults) -> TableSheet:
    """Lay out a table: what the paper says, what we measure."""
    table, numbered = plan.table, plan.table.name.isdigit()
    columns = [*_texts(table)]
    for column in plan.columns:
        columns += [*_published(table, column), *_ours(table, column, results)]
    return TableSheet(
        name=f"table{table.name}" if numbered else table.name,
        title=f"Table {table.name}: {table.title}" if numbered else table.title,
        columns=tuple(_summarised(columns, table.summary)),
        footnotes=table.footnotes,
        notes=tuple(notes_of(plan, results)),
        summary=len(table.summary),
    )


def _summarised(columns: Sequence[SheetColumn], names: Sequence[Summary]) -> Iterator[SheetColumn]:
    """The columns with a last row for each name, of our numbers as they are printed."""
    for index, column in enumerate(columns):
        more: Sequence[object] = [None] * len(names) if index else names
        if column.measured:
            found = [round(one, column.decimals) for one in column.cells if isinstance(one, float)]
            few = "fewer than two numbers"
            more = [SUMMARIES[one](found) if len(found) > 1 else few for one in names]
        yield dataclasses.replace(column, cells=[*column.cells, *more])


def _texts(table: PublishedTable) -> Iterator[SheetColumn]:
    """The texts of the rows; what only describes them is hidden, unless the table shows it."""
    texts = [(*row.key, *row.about) for row in table.rows]
    for index, name in enumerate((*table.keys, *table.about)):
        hidden = name in table.about and name not in table.shown
        marks = {number: row.notes.get(name, ()) for number, row in enumerate(table.rows)}
        yield SheetColumn(name, [one[index] for one in texts], hidden=hidden, marks=marks)
    if table.suites:
        yield SheetColumn("published under", [row.protocol for row in table.rows])


def _published(table: PublishedTable, column: PlannedColumn) -> Iterator[SheetColumn]:
    """The published columns that a column of ours stands for."""
    for index in column.published:
        cells = [row.cells[index] for row in table.rows]
        if any(cell.published is not None for cell in cells):
            yield _numbers(
                f"paper: {table.columns[index].name}",
                [cell.published for cell in cells],
                column.score,
                table,
                marks={row: cell.notes for row, cell in enumerate(cells)},
            )


def _ours(
    table: PublishedTable, column: PlannedColumn, results: TableResults
) -> Iterator[SheetColumn]:
    """Our numbers, where there is none why; how far they are from the paper's; images."""
    name, records = column.name, results.of(column)
    values = [value_in(record, column.score) for record in records]
    pairs = list(zip(column.cells, values, strict=True))
    shown = [_reason(cell, results) if value is None else value for cell, value in pairs]
    linked = [] if column.score == "speed" else enumerate(records)
    keys = {row: one.key for row, one in linked if one and values[row] is not None}
    ours = _numbers(f"ours: {name}", shown, column.score, table, keys=keys, measured=True)
    yield ours
    if any(cell.published is not None for cell in column.cells):
        differences = [_difference(cell, value, ours.decimals) for cell, value in pairs]
        yield SheetColumn(f"difference: {name}", differences, ours.decimals, signed=True)
    images = [record and record.images for record in records]
    yield SheetColumn(f"images: {name}", images, hidden=True)


def _reason(cell: PlannedCell, results: TableResults) -> str:
    return results.why.get(cell.setting, "not run") if cell.setting else cell.why


def _difference(cell: PlannedCell, value: float | None, decimals: int | None) -> float | None:
    """Ours minus the paper's, of the numbers as they are printed."""
    if value is None or cell.published is None:
        return None
    return round(value, decimals) - cell.published


def _numbers(
    name: str, cells: Sequence[object], score: str, table: PublishedTable, **more: Any
) -> SheetColumn:
    """A column with its largest numbers among the rows that can be run here, ties included."""
    decimals = 2 if score == "speed" else 1
    run = [row for row, one in enumerate(table.rows) if any(cell.overrides for cell in one.cells)]
    numbers = ((row, value) for row in run if isinstance(value := cells[row], float))
    printed = {row: round(value, decimals) for row, value in numbers}
    best = {row for row, value in printed.items() if value == max(printed.values())}
    return SheetColumn(name, cells, decimals, best=frozenset(best if len(run) > 1 else ()), **more)
