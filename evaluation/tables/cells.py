"""What a table asks to be run: the settings of its cells with the user's overrides.

An override may make columns equal (another data set for all) or rows (another backbone for all):
equal columns become one column of ours beside the paper's several, and a setting that two rows
share is shown once. A row that loses what tells it from the others (its K) has no number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from evaluation.setting import Setting
from evaluation.tables import parts
from evaluation.tables.overrides import for_score, key_of, merge, value_of, weights_file, without
from evaluation.tables.table import (
    PublishedCell,
    PublishedColumn,
    PublishedRow,
    PublishedTable,
    is_tiny,
)

Compose = Callable[[tuple[str, ...]], Setting]
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


@dataclass(frozen=True)
class _Match:
    """A published cell with its setting and ours.

    changed: ours before what the cell alone has, and a file of weights, are added.
    under: whether ours is run under the protocol that the cell was published under.
    fitted: keys that fit ours to the embedded model.
    """

    cell: PublishedCell
    published: Setting
    changed: Setting
    ours: Setting
    under: bool
    fitted: frozenset[str]

    def comparable(self) -> bool:
        return parts.source_of(self.published) == parts.source_of(self.changed)

    def same_method(self) -> bool:
        return bool(parts.method_of(self.published) == parts.method_of(self.changed))


def plan_table(table: PublishedTable, given: Sequence[str], compose: Compose) -> TablePlan:
    """Compose the cells of a table. Raises what ``compose`` raises for overrides that do not fit.

    compose: is asked for the same overrides several times, so memoised.
    """
    equal: dict[object, dict[int, list[_Match | None]]] = {}
    for index, column in enumerate(table.columns):
        matches = [_match(table, row, index, given, compose) for row in table.rows]
        changed = tuple(match and match.changed for match in matches)
        equal.setdefault((column.score, changed), {})[index] = matches
    columns = tuple(_column(table, given, matches) for matches in equal.values())
    return TablePlan(table, tuple(given), columns)


def _match(
    table: PublishedTable, row: PublishedRow, index: int, given: Sequence[str], compose: Compose
) -> _Match | None:
    """Compose a published cell and ours. What it alone has (its K) is for the paper's data."""
    cell = row.cells[index]
    if not cell.overrides:
        return None
    shared, under = table.shared(row, index, given), table.under(row, index, given)
    published, given = compose(cell.shared), table.besides(given)
    given = given if parts.uses_gem(published) else without(given, "gem")
    given = fileless = for_score(given, cell.score)
    if weights_file(given):
        fileless = without(given, "backbone.weights", "backbone.quick_gelu")
        named = value_of(given, "backbone") or value_of(given, "backbone.model")
        if not named and parts.model_of(published) != parts.model_of(compose(table.first)):
            given = fileless  # a file holds the weights of one model, the table's first
    changed = compose(merge(shared, fileless))
    fitted = frozenset(map(key_of, row.tiny if is_tiny(given) else ()))
    match = _Match(cell, published, changed, changed, under, fitted)
    own = cell.own if match.comparable() and under else ()
    return dataclasses.replace(match, ours=compose(merge((*shared, *own), given)))


def _column(
    table: PublishedTable, given: Sequence[str], equal: dict[int, list[_Match | None]]
) -> PlannedColumn:
    """Equal columns as one: those with its data and weights come first, then with its method."""

    def fits(index: int) -> tuple[bool, bool]:
        run = [match for match in equal[index] if match]
        return any(one.comparable() for one in run), any(one.same_method() for one in run)

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


def _cell(match: _Match, rivals: Sequence[_Match], *, whole: bool) -> PlannedCell:
    """Our setting, unless it has no such score or is another row's.

    rivals: the matches of all rows. whole: the whole column has another model.
    """
    ours, score = match.ours, match.cell.score
    lost = _lost_trait(match, rivals)
    if lost and not (whole and lost == "backbone"):
        return PlannedCell(why=f"another {lost} was given")
    if score == "speed":
        limit = min(ours.limit or SPEED_IMAGES, SPEED_IMAGES)
        ours = dataclasses.replace(ours, limit=limit)
    elif (score == "pmiou") != parts.has_points(ours):
        kind = "masks, not points" if score == "pmiou" else "points, not masks"
        return PlannedCell(why=f"{parts.data_of(ours)} has {kind}")
    alike = match.comparable() and match.under
    return PlannedCell(ours, published=match.cell.published if alike else None)


def _lost_trait(match: _Match, rivals: Sequence[_Match]) -> str | None:
    """What tells the published cell from those of other rows, and is another in ours."""
    ours, own = parts.traits_of(match.changed), parts.traits_of(match.published)
    others = [parts.traits_of(rival.published) for rival in rivals]
    alike = [traits for traits in others if traits["method"] == own["method"]]
    for name, value in own.items():
        rows = others if name in {"method", "backbone"} else alike  # options are a method's own
        told_apart = len({traits[name] for traits in rows}) > 1 and name not in match.fitted
        if told_apart and ours.get(name) != value:
            return name
    return None


def _shown_once(cells: Sequence[PlannedCell], rows: Sequence[str]) -> Iterator[PlannedCell]:
    """Each setting in the row that it is compared in, else in the first that has it."""
    owners: dict[Setting | None, str] = {}
    for row, cell in zip(rows, cells, strict=True):
        if cell.setting not in owners or cell.published is not None:
            owners[cell.setting] = row
    for row, cell in zip(rows, cells, strict=True):
        repeated = cell.setting and cell.published is None and owners[cell.setting] != row
        yield PlannedCell(why=f"as {owners[cell.setting]}") if repeated else cell
