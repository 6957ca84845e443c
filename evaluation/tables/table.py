"""What a published table is: every cell is its value, and the overrides of run.py that make it.

A table has overrides that all its cells share; each column and each row adds its own, and a cell
may add some that choose one reading of a paper that contradicts itself. A row without overrides is
not run and says why. A table whose numbers were published under several protocols has suites: ours
are all run under one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Literal

from evaluation.tables.overrides import key_of, value_of
from gem.options import options

PROTOCOL = {"experiment", "protocol", "vocabulary", "prompts", "short_side"}  # what suites set
Summary = Literal["lowest", "highest", "spread"]


@options
class PublishedCell:
    """One number. Its overrides make it with run.py; none if it is not run, and ``why`` says why.

    published: in the unit of the table (percent, or images/s), None where the paper has none.
    shared: the overrides of its table, column and row. own: those that no other cell has; they
        choose a reading, as a footnote says. suite: those of the column's suite, the first shared.
    score: of the record, ``miou`` or ``pmiou``; or ``speed``, images/s.
    notes: marks of footnotes of the table.
    """

    published: float | None
    shared: tuple[str, ...]
    own: tuple[str, ...]
    why: str
    score: str
    notes: tuple[str, ...]
    suite: tuple[str, ...] = ()

    @property
    def overrides(self) -> tuple[str, ...]:
        """All that make the number."""
        return (*self.shared, *self.own)


@options
class Suite:
    """A protocol with the words and prompts that belong to it.

    tiny: overrides that fit it to the 64 pixels of the embedded model.
    """

    overrides: tuple[str, ...]
    tiny: tuple[str, ...] = ()


@options
class PublishedColumn:
    """A column of numbers and the overrides that it adds; its suite unless another is given."""

    name: str
    overrides: tuple[str, ...]
    score: str
    suite: str = ""


@options
class PublishedRow:
    """What a row is called, by the table's keys; more about it; its cells, one per column.

    protocol: the suite that its numbers were published under, or what it was; for tables of suites.
    tiny: overrides that fit it to the 6 blocks and 64 pixels of the embedded model.
    """

    key: tuple[str, ...]
    notes: dict[str, tuple[str, ...]]
    cells: tuple[PublishedCell, ...]
    about: tuple[str, ...] = ()
    protocol: str = ""
    tiny: tuple[str, ...] = ()


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
    keys, about: names of the texts of a row; shown: of those about it that are printed.
    footnotes: by mark. general: notes on all cells.
    tiny: overrides that fit the protocol to the 64 pixels of the embedded model.
    suites: by the name of the protocol; the user's ``protocol=`` chooses one for all columns.
    summary: last rows of ours, computed from the rows above them.
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
    shown: tuple[str, ...] = ()
    tiny: tuple[str, ...] = ()
    figure: PublishedFigure | None = None
    suites: dict[str, Suite] = field(default_factory=dict)
    summary: tuple[Summary, ...] = ()

    @property
    def first(self) -> tuple[str, ...]:
        """The overrides of the first cell that is run; a given file is of its backbone.

        One that names a segmenter, which may have a model of its own, is only taken if all do.
        """
        run = [cell.overrides for cell in self.cells if cell.overrides]
        plain = [one for one in run if not value_of(one, "segmenter")]
        return next(iter((*plain, *run)), ())

    @property
    def cells(self) -> tuple[PublishedCell, ...]:
        """All cells, row by row."""
        return tuple(cell for row in self.rows for cell in row.cells)

    def fitting(self, given: Sequence[str]) -> tuple[str, ...]:
        """The overrides that fit the protocol to the model that the user gives."""
        return self.tiny if is_tiny(given) else ()

    def chosen(self, given: Sequence[str]) -> str:
        """The suite that the user names for all columns; empty if none."""
        name = value_of(given, "protocol") or ""
        return name if name in self.suites else ""

    def besides(self, given: Sequence[str]) -> tuple[str, ...]:
        """The user's overrides without the one that names a suite."""
        named = f"protocol={self.chosen(given)}"
        return tuple(one for one in given if one != named)

    def shared(self, row: PublishedRow, index: int, given: Sequence[str]) -> tuple[str, ...]:
        """What a cell of ours shares with others, before the overrides of `besides`."""
        cell, suite = row.cells[index], self._suite(index, given)
        fitted = (*self.tiny, *suite.tiny, *row.tiny) if is_tiny(given) else ()
        return (*suite.overrides, *cell.shared[len(cell.suite) :], *fitted)

    def under(self, row: PublishedRow, index: int, given: Sequence[str]) -> bool:
        """Whether ours is run under the protocol that the row's numbers were published under."""
        changed = {key_of(one).partition(".")[0] for one in self.besides(given)}
        name = self.chosen(given) or self.columns[index].suite
        return not self.suites or (row.protocol == name and not changed & PROTOCOL)

    def _suite(self, index: int, given: Sequence[str]) -> Suite:
        name = self.chosen(given) or self.columns[index].suite
        return self.suites[name] if name else Suite(overrides=())


def is_tiny(given: Sequence[str]) -> bool:
    """Whether the user gives the embedded model."""
    return value_of(given, "backbone") == "tiny"
