"""What a table asks to be run: the settings of its cells with the user's overrides.

An override may make columns equal (another data set for all) or rows (another backbone for all):
equal columns become one column of ours beside the paper's several, and a setting that two rows
share is shown once. A row that loses what tells it from the others (its K) has no number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluation.setting import Setting
from evaluation.tables import parts
from evaluation.tables.match import Compose, Match, lost_trait, match_cell
from evaluation.tables.overrides import for_score, value_of
from evaluation.tables.table import PublishedColumn, PublishedTable

SPEED_IMAGES = 32  # images that a speed is measured on


@dataclass(frozen=True)
class PlannedCell:
    """One value of ours: the setting that makes it, or why there is none.

    published: the value that ours is compared with; None if ours has other data or weights.
    """

    setting: Setting | None = None
    why: str = ""
    published: float | None = None


@dataclass(frozen=True)
class PlannedColumn:
    """A column of ours, for the published columns whose cells become the same settings.

    published: their indices, first those with the data and weights of ours.
    comparable: whether there is one with the data and weights of ours.
    """

    name: str
    score: str
    published: tuple[int, ...]
    comparable: bool
    cells: tuple[PlannedCell, ...]


@dataclass(frozen=True)
class TablePlan:
    """A table with the user's overrides."""

    table: PublishedTable
    given: tuple[str, ...]
    columns: tuple[PlannedColumn, ...]

    def settings(self, *, timed: bool) -> Iterator[Setting]:
        """The settings whose speed is asked, which are evaluated alone, or all others."""
        for column in self.columns:
            if (column.score == "speed") is timed:
                yield from (cell.setting for cell in column.cells if cell.setting)


def plan_table(table: PublishedTable, given: Sequence[str], compose: Compose) -> TablePlan:
    """Compose the cells of a table. Raises what ``compose`` raises for overrides that do not fit.

    compose: is asked for the same overrides several times, so memoised.
    """
    equal: dict[object, dict[int, list[Match | None]]] = {}
    for index, column in enumerate(table.columns):
        matches = [match_cell(table, row, index, given, compose) for row in table.rows]
        changed = tuple(match and match.changed for match in matches)
        equal.setdefault((column.score, changed), {})[index] = matches
    columns = tuple(_column(table, given, matches) for matches in equal.values())
    return TablePlan(table, tuple(given), columns)


def _column(
    table: PublishedTable, given: Sequence[str], equal: dict[int, list[Match | None]]
) -> PlannedColumn:
    """Equal columns as one: those with its data and weights come first, then with its method.

    By the rows that the user's backbone is for, if there are any.
    """

    def fits(index: int) -> tuple[bool, bool]:
        run = [match for match in equal[index] if match]
        asked = [one for one in run if parts.reads_backbone(one.published)] or run
        return any(one.comparable() for one in asked), any(one.same_method() for one in asked)

    first, *others = sorted(equal, key=fits, reverse=True)
    column, comparable, _ = table.columns[first], *fits(first)
    rivals = [match for match in equal[first] if match]
    cells = [
        _cell(match, rivals, whole=not comparable)
        if match
        else PlannedCell(why=row.cells[first].why)
        for match, row in zip(equal[first], table.rows, strict=True)
    ]
    shown = _shown_once(cells, [", ".join(row.key) for row in table.rows])
    name = column.name if comparable else _name(column, given)
    if table.suites and not comparable and rivals:
        name = f"{name}, {rivals[0].ours.protocol.name}"  # another suite may have such a column too
    return PlannedColumn(name, column.score, (first, *others), comparable, tuple(shown))


def _name(column: PublishedColumn, given: Sequence[str]) -> str:
    """The given data set and backbone, then what they leave of the column's own name."""
    given = for_score(given, column.score)
    new = {key: value for key in ("dataset", "backbone") if (value := value_of(given, key))}
    replaced = any(value_of(column.overrides, key) for key in new)
    return ", ".join((*new.values(), *column.name.split(", ")[replaced:])) or column.name


def _cell(match: Match, rivals: Sequence[Match], *, whole: bool) -> PlannedCell:
    """Our setting, unless it has no such score or is another row's.

    rivals: the matches of all rows. whole: the whole column has another model.
    """
    ours, score = match.ours, match.cell.score
    lost = lost_trait(match, rivals)
    if lost and not (whole and lost == "backbone"):
        return PlannedCell(why=f"another {lost} was given")
    if score == "speed":
        limit = min(ours.limit or SPEED_IMAGES, SPEED_IMAGES)
        ours = dataclasses.replace(ours, limit=limit)
    elif (score == "pmiou") != parts.has_points(ours):
        kind = "masks, not points" if score == "pmiou" else "points, not masks"
        return PlannedCell(why=f"{parts.data_of(ours)} has {kind}")
    return PlannedCell(ours, published=match.cell.published if match.alike() else None)


def _shown_once(cells: Sequence[PlannedCell], rows: Sequence[str]) -> Iterator[PlannedCell]:
    """Each setting in the row that it is compared in, else in the first that has it."""
    owners: dict[Setting | None, str] = {}
    for row, cell in zip(rows, cells, strict=True):
        if cell.setting not in owners or cell.published is not None:
            owners[cell.setting] = row
    for row, cell in zip(rows, cells, strict=True):
        repeated = cell.setting and cell.published is None and owners[cell.setting] != row
        yield PlannedCell(why=f"as {owners[cell.setting]}") if repeated else cell
