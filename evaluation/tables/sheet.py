"""The paper's tables with ours beside them: one pandas frame per table, and its notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evaluation.records.record import Record
from evaluation.setting.code import code_fingerprint
from evaluation.tables.fill import Answers
from evaluation.tables.overrides import adapt, described, elsewhere, file_in, value_of
from evaluation.tables.plan import Ask, Group, Plan, main_backbone
from evaluation.tables.published import Row


@dataclass(frozen=True)
class Sheet:
    """A table ready to be shown.

    frame: texts of the rows, then per column of ours the published numbers, ours, the difference
        where both have the same data and weights, and the number of images. Where ours has no
        number it says why; None where nothing was published.
    decimals: of the numbers of a column; signed: columns of differences; hidden: columns that are
        in the CSV only.
    marks: of footnotes, by (row, column). bold: (row, column) of the best values.
    keys: of the records of our numbers, by (row, column); speeds, recorded elsewhere, have none.
    """

    name: str
    title: str
    frame: pd.DataFrame
    decimals: Mapping[str, int]
    signed: frozenset[str]
    hidden: frozenset[str]
    marks: Mapping[tuple[int, str], tuple[str, ...]]
    bold: frozenset[tuple[int, str]]
    keys: Mapping[tuple[int, str], str]
    footnotes: Mapping[str, str]
    notes: tuple[str, ...]


def value_in(record: Record, score: str) -> float | None:
    """A score of a record in the table's unit; ``speed`` is images/s."""
    if score == "speed":
        return float(record.cost["images_per_second"])
    share = record.scores.get(score)
    return None if share is None else 100 * share


def record_of(ask: Ask, group: Group, answers: Answers) -> Record | None:
    """The record that answers an ask, if there is one."""
    found = answers.speeds if group.score == "speed" else answers.records
    return found.get(ask.setting) if ask.setting else None


def sheet(plan: Plan, answers: Answers) -> Sheet:
    """Lay out a table: what the paper says, what we measure."""
    table = plan.table
    names, texts = (*table.keys, *table.about), [(*row.key, *row.about) for row in table.rows]
    columns: dict[str, list[object]] = {
        name: [text[index] for text in texts] for index, name in enumerate(names)
    }
    marks: dict[tuple[int, str], tuple[str, ...]] = {}
    for number, row in enumerate(table.rows):
        marks |= {(number, name): found for name, found in row.notes.items()}
    shown = _Columns(columns, marks, {}, set(), set(table.about), {})
    for index, group in enumerate(plan.groups):
        shown.add(plan, index, group, answers)
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    decimals, signed, hidden = shown.decimals, frozenset(shown.signed), frozenset(shown.hidden)
    return Sheet(
        name=f"table{table.name}" if table.name.isdigit() else table.name,
        title=f"Table {table.name}: {table.title}" if table.name.isdigit() else table.title,
        frame=frame,
        decimals=decimals,
        signed=signed,
        hidden=hidden,
        marks=marks,
        bold=_best(frame, decimals, signed, table.rows),
        keys=shown.keys,
        footnotes=table.footnotes,
        notes=tuple(_notes(plan, answers)),
    )


@dataclass(frozen=True)
class _Columns:
    """The growing columns of a sheet."""

    columns: dict[str, list[object]]
    marks: dict[tuple[int, str], tuple[str, ...]]
    decimals: dict[str, int]
    signed: set[str]
    hidden: set[str]
    keys: dict[tuple[int, str], str]

    def add(self, plan: Plan, index: int, group: Group, answers: Answers) -> None:
        """Published columns of a group, then ours, difference and images."""
        rows, asks = plan.table.rows, [row[index] for row in plan.asks]
        for number in group.columns:
            self._published(plan, number)
        found = [record_of(ask, group, answers) for ask in asks]
        values = [value_in(record, group.score) if record else None for record in found]
        ours = [_ours(ask, value, answers) for ask, value in zip(asks, values, strict=True)]
        name = f"ours: {group.name}"
        self._numbers(name, ours, group.score)
        if group.score != "speed":
            numbers = {n: one.key for n, one in enumerate(found) if one and ours[n] == values[n]}
            self.keys.update({(n, name): key for n, key in numbers.items()})
        if group.own and any(cell.published is not None for row in rows for cell in row.cells):
            pairs = zip(asks, values, strict=True)
            name, digits = f"difference: {group.name}", self.decimals[name]
            self._numbers(name, [_difference(*pair, digits) for pair in pairs], group.score)
            self.signed.add(name)
        self.columns[f"images: {group.name}"] = [record and record.images for record in found]
        self.hidden.add(f"images: {group.name}")

    def _published(self, plan: Plan, number: int) -> None:
        cells = [row.cells[number] for row in plan.table.rows]
        name = f"paper: {plan.table.columns[number].name}"
        if any(cell.published is not None for cell in cells):
            self._numbers(name, [cell.published for cell in cells], cells[0].score)
            used = {(row, name): cell.notes for row, cell in enumerate(cells) if cell.notes}
            self.marks.update(used)

    def _numbers(self, name: str, cells: Sequence[object], score: str) -> None:
        self.columns[name] = list(cells)
        self.decimals[name] = 2 if score == "speed" else 1


def _ours(ask: Ask, value: float | None, answers: Answers) -> object:
    if value is not None or ask.setting is None:
        return ask.why if value is None else value
    return answers.why.get(ask.setting, "not run")


def _difference(ask: Ask, value: float | None, digits: int) -> float | None:
    """Ours minus the paper's, of the numbers as they are printed."""
    return None if value is None or ask.published is None else round(value, digits) - ask.published


def _best(
    frame: pd.DataFrame, decimals: Mapping[str, int], signed: frozenset[str], rows: Sequence[Row]
) -> frozenset[tuple[int, str]]:
    """The largest numbers of each column among the rows that can be run here, ties included."""
    run = [number for number, row in enumerate(rows) if any(cell.words for cell in row.cells)]
    found = set()
    for name in (name for name in decimals if name not in signed):
        numbers = {n: frame[name][n] for n in run if isinstance(frame[name][n], float)}
        cells = {n: round(value, decimals[name]) for n, value in numbers.items()}
        found |= {(n, name) for n, value in cells.items() if value == max(cells.values())}
    return frozenset(found) if len(run) > 1 else frozenset()


def _notes(plan: Plan, answers: Answers) -> Iterator[str]:
    """What a reader must know: source and protocol, which data ours has, which words, warnings."""
    table = plan.table
    if any(cell.published is not None for cell in table.cells):
        yield f"Paper: {table.source}, {table.place}; {table.protocol}."
    yield from table.general
    other = elsewhere(plan.given, [cell.words for cell in table.cells])
    if other and not all(group.own for group in plan.groups):
        said = " and ".join(f"{name} {value}" for name, value in other.items())
        yield f"OURS IS NOT ON THE PAPER'S {' AND '.join(other).upper()}: it has {said}."
        if any(cell.own for cell in table.cells):
            yield "Words that only single cells of the paper's data have (its K=2) are left out."
    if words := described(adapt((), plan.given, "miou", table.tiny)):
        yield f"Ours is run with {words}."
    if file := file_in(plan.given):
        named = value_of(plan.given, "backbone") or value_of(plan.given, "backbone.model")
        owner = named or main_backbone(table)
        yield f"The weights of {owner} are those of {Path(file).name}."
    yield from _of_records(plan, answers)


def _of_records(plan: Plan, answers: Answers) -> Iterator[str]:
    """Of which images, code and machine the numbers of ours are, and what they warn of."""
    sizes, warnings, machines = (dict[str, None]() for _ in range(3))  # for sets in order
    codes: dict[str, object] = {}
    for index, group in enumerate(plan.groups):
        asked = (record_of(row[index], group, answers) for row in plan.asks)
        found = [record for record in asked if record]
        if images := sorted({record.images for record in found}):
            sizes[f"{group.name}: {' or '.join(map(str, images))}"] = None
        warnings |= {line: None for record in found for line in record.warnings}
        codes |= {record.key: record.hashes.get("code") for record in found}
        if group.score == "speed":
            machines |= {str(record.cost["device"]): None for record in found}
    if sizes:
        yield f"Images of ours: {'; '.join(sizes)}."
    if machines:
        on = " and ".join(machines)
        yield f"Speeds of ours are images/s of a setting alone, best of three runs, on {on}."
    if others := sum(code != code_fingerprint() for code in codes.values()):
        yield f"{others} of our {len(codes)} records were recorded by other code than this one."
    yield from (f"{line}." for line in warnings)
