"""The numbers of a figure: one series per column, in one facet per kind of data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluation.tables.cells import TablePlan
from evaluation.tables.fill import TableResults, value_in


@dataclass(frozen=True)
class Series:
    """Numbers of one column, by the row's index. `short` tells it from others of its facet."""

    name: str
    score: str
    ours: bool
    values: dict[int, float]
    comparable: bool = True
    short: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Whose numbers, of what."""
        return f"{'ours' if self.ours else 'paper'}: {self.name}"


@dataclass(frozen=True)
class Facet:
    """Numbers that may share an axis.

    Those of other data or another model than the paper's never share one with the paper's.
    """

    title: str
    series: tuple[Series, ...]

    @property
    def apart(self) -> bool:
        """Whether its numbers are of data or a model that the paper does not have."""
        return not self.series[0].comparable

    @property
    def both(self) -> bool:
        """Whether it has the paper's numbers and ours."""
        return len({one.ours for one in self.series}) > 1

    def legend(self, one: Series) -> str:
        """What the legend calls a series; empty if the title says it all."""
        whose = ["ours:" if one.ours else "paper:"] if self.both else []
        return " ".join([*whose, ", ".join(one.short)])

    def places(self, part: int) -> list[str]:
        """The distinct texts at a place of the short names: of each, a colour or a dash."""
        return list(dict.fromkeys(one.short[part] for one in self.series if len(one.short) > part))

    def best(self, one: Series) -> int:
        """The row of the highest number of a series, the first of several."""
        return max(sorted(one.values), key=one.values.__getitem__)


def series_of(plan: TablePlan, results: TableResults) -> list[Series]:
    """All columns that have numbers: the paper's, then ours."""
    found = []
    for index, column in enumerate(plan.table.columns):
        numbers = (row.cells[index].published for row in plan.table.rows)
        found.append(Series(column.name, column.score, False, _by_row(numbers)))
    for ours in plan.columns:
        numbers = (value_in(record, ours.score) for record in results.of(ours))
        values = _by_row(numbers)
        found.append(Series(ours.name, ours.score, True, values, comparable=ours.comparable))
    return [one for one in found if one.values]


def _by_row(numbers: Iterable[float | None]) -> dict[int, float]:
    return {row: number for row, number in enumerate(numbers) if number is not None}


def facets_of(series: Sequence[Series]) -> list[Facet]:
    """The paper's numbers with ours of the same data and model; then ours of others."""
    shared = [one for one in series if one.comparable]
    apart = [one for one in series if not one.comparable]
    return [_facet(group) for group in (shared, apart) if group]


def _facet(group: Sequence[Series]) -> Facet:
    """What all names have in common is the title, what tells them apart the short names."""
    parts = {one.name: one.name.split(", ") for one in group}
    alike = [part for part in parts[group[0].name] if all(part in one for one in parts.values())]
    if len(parts) == 1 and len(group) > 1:
        alike = []  # the paper's column and ours of it
    whose = dict.fromkeys("ours" if one.ours else "the paper's" for one in group)
    title = " and ".join(sorted(whose, reverse=True)) + (f": {', '.join(alike)}" if alike else "")
    named = [
        dataclasses.replace(one, short=tuple(part for part in parts[one.name] if part not in alike))
        for one in group
    ]
    return Facet(title, tuple(named))
