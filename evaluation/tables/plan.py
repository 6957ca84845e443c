"""What a table asks to be run: its cells with the user's words, as settings.

A word of the user may make columns equal (another data set for all) or rows (another backbone
for all): equal columns become one column of ours beside the papers' several, and a setting that
two rows share is shown once. A word that takes from a row what tells it apart (its K) leaves the
row without a number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.data import task_of
from evaluation.setting import Setting
from evaluation.tables.overrides import GROUPS, adapt, file_in, key_of, reaching, telling, value_of
from evaluation.tables.published import Cell, Column, Row, Table

Compose = Callable[[Sequence[str]], Setting]
SPEED_IMAGES = 32  # images that a speed is measured on


@dataclass(frozen=True)
class Group:
    """Published columns whose cells become the same settings, and the name of ours.

    columns: their indices, first those whose data and models ours has.
    own: whether there is one whose data and models ours has.
    """

    name: str
    columns: tuple[int, ...]
    score: str
    own: bool


@dataclass(frozen=True)
class Ask:
    """One value of ours: the setting that makes it, or why there is none.

    published: the value that ours is compared with; None if ours has other data or weights.
    """

    setting: Setting | None
    why: str
    published: float | None


@dataclass(frozen=True)
class Plan:
    """A table with the user's words: for each row one `Ask` per group."""

    table: Table
    given: tuple[str, ...]
    groups: tuple[Group, ...]
    asks: tuple[tuple[Ask, ...], ...]

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The distinct settings to evaluate, those of speeds left out."""
        return self._of(lambda score: score != "speed")

    @property
    def timed(self) -> tuple[Setting, ...]:
        """The distinct settings whose speed is asked, which are evaluated alone."""
        return self._of(lambda score: score == "speed")

    def _of(self, wanted: Callable[[str], bool]) -> tuple[Setting, ...]:
        found = (
            ask.setting
            for row in self.asks
            for group, ask in zip(self.groups, row, strict=True)
            if ask.setting and wanted(group.score)
        )
        return tuple(dict.fromkeys(found))


def sharing(compose: Compose) -> Compose:
    """Compose equal words once; settings share backbones and data sets, which are read once."""
    settings: dict[tuple[str, ...], Setting] = {}
    parts: dict[Any, Any] = {}

    def shared(words: Sequence[str]) -> Setting:
        key = tuple(words)
        if key not in settings:
            new = compose(words)
            first = parts.setdefault(new.segmenter.pass_key, new.segmenter)
            dataset = parts.setdefault(new.dataset, new.dataset)
            segmenter = new.segmenter.sharing(first)
            settings[key] = dataclasses.replace(new, segmenter=segmenter, dataset=dataset)
        return settings[key]

    return shared


def make_plan(table: Table, given: Sequence[str], compose: Compose) -> Plan:
    """Compose the cells of a table. Raises what ``compose`` raises for words that do not fit."""
    gathered: dict[tuple[tuple[str, ...], str], list[int]] = {}
    for index, column in enumerate(table.columns):
        alike = (adapt(column.words, given, column.score), column.score)
        gathered.setdefault(alike, []).append(index)
    groups = tuple(_group(table, given, tuple(columns)) for columns in gathered.values())
    rows = [[_ask(table, row, group, given, compose) for group in groups] for row in table.rows]
    columns = [_once(list(asks), table) for asks in zip(*rows, strict=True)]
    return Plan(table, tuple(given), groups, tuple(zip(*columns, strict=True)))


def main_backbone(table: Table) -> str | None:
    """The backbone that a table names first; a given file holds its weights."""
    return next((value_of(cell.words, "backbone") for cell in table.cells if cell.words), None)


def _group(table: Table, given: Sequence[str], columns: tuple[int, ...]) -> Group:
    own = [
        index
        for index in columns
        if any(_comparable(table, row.cells[index], given) for row in table.rows)
    ]
    ordered = (*own, *(index for index in columns if index not in own))
    first = table.columns[ordered[0]]
    name = first.name if own else _name(first, given)
    return Group(name=name, columns=ordered, score=first.score, own=bool(own))


def _name(column: Column, given: Sequence[str]) -> str:
    """What replaced the column's data set or backbone, then what is left of its own name."""
    new = adapt(column.words, given, column.score)
    keys = [key for key in ("dataset", "backbone") if value_of(given, key)]
    replaced = [value for key in keys if (value := value_of(new, key))]
    gone = any(
        value_of(column.words, key) and value_of(given, key) for key in ("dataset", "backbone")
    )
    left = column.name.split(", ")[int(gone) :]
    return ", ".join((*replaced, *left)) or column.name


def _comparable(table: Table, cell: Cell, given: Sequence[str]) -> bool:
    """Whether the cell is run, and the user's words leave it its data set and its weights.

    A file is taken for the weights that the backbone has; a tag or null is other weights.
    """
    new = adapt(cell.words, reaching(cell.words, given, main_backbone(table)), cell.score)
    keys = ("dataset", "backbone", "backbone.model")
    kept = all(value_of(new, key) == value_of(cell.words, key) for key in keys)
    other = value_of(new, "backbone.weights") and not file_in(new)
    return bool(cell.words) and kept and not other


def _ask(
    table: Table,
    row: Row,
    group: Group,
    given: Sequence[str],
    compose: Compose,
) -> Ask:
    """The cell of a group that keeps its data and weights, else what its cells have in common."""
    kept = [n for n in group.columns if _comparable(table, row.cells[n], given)]
    column = [*kept, *group.columns][0]
    cell = row.cells[column]
    if not cell.words:
        return Ask(setting=None, why=cell.why, published=None)
    words = cell.words if kept else _shared(cell)
    given = reaching(words, given, main_backbone(table))
    setting = compose(adapt(words, given, cell.score, table.tiny))
    rivals = [_shared(other.cells[column]) for other in table.rows if other.cells[column].words]
    for key in telling(words, rivals, given):
        if key == "backbone" and not group.own:
            continue  # the whole column is on another model
        left = adapt(words, [w for w in given if key_of(w) != key], cell.score, table.tiny)
        if key in GROUPS or setting != compose(left):
            return Ask(setting=None, why=f"another {key} was given", published=None)
    points = task_of(setting.dataset) == "points"
    if (cell.score == "pmiou") != points and cell.score != "speed":
        kind = "points, not masks" if points else "masks, not points"
        return Ask(setting=None, why=f"{setting.dataset.card.name} has {kind}", published=None)
    if cell.score == "speed":
        images = min(setting.limit or SPEED_IMAGES, SPEED_IMAGES)
        setting = dataclasses.replace(setting, limit=images)
    return Ask(setting=setting, why="", published=cell.published if kept else None)


def _shared(cell: Cell) -> tuple[str, ...]:
    """The cell's words without those that it alone has."""
    return tuple(word for word in cell.words if word not in cell.own)


def _once(asks: list[Ask], table: Table) -> list[Ask]:
    """Each setting in one row of a column: the one it is compared in, else the first."""
    owner: dict[Setting, int] = {}
    for index, ask in enumerate(asks):
        if ask.setting and (ask.setting not in owner or ask.published is not None):
            owner[ask.setting] = index
    return [
        ask
        if ask.setting is None or owner[ask.setting] == index or ask.published is not None
        else Ask(None, f"as {', '.join(table.rows[owner[ask.setting]].key)}", None)
        for index, ask in enumerate(asks)
    ]
