"""What a reader must know of a table: source and protocol, whose data ours has, warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluation.records.checked import other_code
from evaluation.tables import parts
from evaluation.tables.cells import TablePlan
from evaluation.tables.fill import TableResults
from evaluation.tables.overrides import key_of, merge, value_of, weights_file
from evaluation.tables.table import PublishedTable, is_tiny

SOURCES = ("dataset", "backbone", "backbone.model", "backbone.weights")
SILENT = {"backbone.device", "batch_size", "workers", "dataset.root", "backbone.weights"}


def notes_of(plan: TablePlan, results: TableResults) -> Iterator[str]:
    """The notes below a table, each a sentence or two."""
    table = plan.table
    if any(cell.published is not None for cell in table.cells):
        yield f"Paper: {table.source}, {table.place}; {table.protocol}."
    yield from table.general
    yield from _of_overrides(plan)
    yield from _of_protocols(plan)
    yield from _of_records(plan, results)


def _of_overrides(plan: TablePlan) -> Iterator[str]:
    """What the user's overrides make other than the paper."""
    table, given = plan.table, plan.given
    other, file = unpublished(plan), weights_file(given)
    if other and not all(column.comparable for column in plan.columns):
        named = " and ".join(f"{name} {value}" for name, value in other.items())
        yield f"OURS IS NOT ON THE PAPER'S {' AND '.join(other).upper()}: it has {named}."
        if any(cell.own for cell in table.cells):
            yield "Words that only single cells of the paper's data have (its K=2) are left out."
    yield from _of_fitted_rows(table, given)
    changed = [one for one in merge(table.fitting(given), given) if key_of(one) not in SILENT]
    if changed:
        yield f"Ours is run with {' '.join(changed)}."
    if file:
        keys = ((given, "backbone"), (given, "backbone.model"), (table.first, "backbone"))
        owner = next(value for pair in keys if (value := value_of(*pair)))
        yield f"The weights of {owner} are those of {Path(file).name}."


def _of_fitted_rows(table: PublishedTable, given: Sequence[str]) -> Iterator[str]:
    """What fits rows to the embedded model, which has 6 blocks and 64 pixels."""
    if is_tiny(given):
        fitted = {", ".join(row.key): row.tiny for row in table.rows if row.tiny}
        if said := "; ".join(f"{name}: {' '.join(tiny)}" for name, tiny in fitted.items()):
            yield f"Fitted to the embedded model: {said}."


def _of_protocols(plan: TablePlan) -> Iterator[str]:
    """Of tables of several protocols: what each column of ours is run under, and which rows fit."""
    if not plan.table.suites:
        return
    found: dict[str, list[str]] = {}
    for column in plan.columns:
        setting = next((cell.setting for cell in column.cells if cell.setting), None)
        if setting:
            found.setdefault(parts.conditions_of(setting), []).append(column.name)
    said = "; ".join(f"{', '.join(columns)}: {under}" for under, columns in found.items())
    yield f"ALL OF OURS IN A COLUMN ARE RUN UNDER ONE PROTOCOL, the published ones are not. {said}."
    yield "A difference is shown only where the number was published under the protocol of ours."


def unpublished(plan: TablePlan) -> dict[str, str]:
    """The given data and models that no published cell names: what they are, by kind."""
    found = {}
    for key in SOURCES:
        value = value_of(plan.given, key)
        if value and all(value_of(cell.overrides, key) != value for cell in plan.table.cells):
            found[key.rpartition(".")[2]] = value
    if weights_file(plan.given):
        found.pop("weights")
    return found


def _of_records(plan: TablePlan, results: TableResults) -> Iterator[str]:
    """Of which images, code and machine the numbers of ours are, and what they warn of."""
    columns = {one: [record for record in results.of(one) if record] for one in plan.columns}
    counts = {column.name: {one.images for one in found} for column, found in columns.items()}
    sizes = [f"{name}: {' or '.join(map(str, sorted(one)))}" for name, one in counts.items() if one]
    if sizes:
        yield f"Images of ours: {'; '.join(sizes)}."
    timed = [one for column, found in columns.items() if column.score == "speed" for one in found]
    if machines := " and ".join(dict.fromkeys(str(record.cost["device"]) for record in timed)):
        yield f"Speeds of ours are images/s of a setting alone, best of three runs, on {machines}."
    records = [record for found in columns.values() for record in found]
    codes = {record.key: bool(other_code(record)) for record in records}
    if others := sum(codes.values()):
        yield f"{others} of our {len(codes)} records were recorded by other code than this one."
    yield from dict.fromkeys(f"{line}." for record in records for line in record.warnings)
