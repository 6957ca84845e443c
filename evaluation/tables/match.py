"""A published cell and ours: what each is run with, and what tells them apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evaluation.setting import Setting
from evaluation.tables import parts
from evaluation.tables.overrides import for_score, key_of, merge, value_of, weights_file, without
from evaluation.tables.table import PublishedCell, PublishedRow, PublishedTable, is_tiny

Compose = Callable[[tuple[str, ...]], Setting]


@dataclass(frozen=True)
class Match:
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
        """Whether ours has the data and weights of the published cell."""
        return parts.source_of(self.published) == parts.source_of(self.changed)

    def alike(self) -> bool:
        """Whether it has its protocol and method too, so that their difference says something."""
        methods = [type(parts.method_of(one)) for one in (self.published, self.changed)]
        return self.comparable() and self.under and methods[0] is methods[1]

    def same_method(self) -> bool:
        """Whether ours has the published cell's method with all its options."""
        return bool(parts.method_of(self.published) == parts.method_of(self.changed))


def match_cell(
    table: PublishedTable, row: PublishedRow, index: int, given: Sequence[str], compose: Compose
) -> Match | None:
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
    match = Match(cell, published, changed, changed, under, fitted)
    own = cell.own if match.alike() else ()
    return dataclasses.replace(match, ours=compose(merge((*shared, *own), given)))


def lost_trait(match: Match, rivals: Sequence[Match]) -> str | None:
    """What tells the published cell from those of other rows, and is another in ours."""
    ours, own = parts.traits_of(match.changed), parts.traits_of(match.published)
    others = [parts.traits_of(rival.published) for rival in rivals]
    alike = [traits for traits in others if traits["method"] == own["method"]]
    for name, value in own.items():
        rows = alike if "." in name else others  # options are a method's own
        told_apart = len({traits[name] for traits in rows}) > 1 and name not in match.fitted
        if told_apart and ours.get(name) != value:
            return name
    return None
