"""Read the published tables, ``results/published/*.yaml``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import yaml

from evaluation.places import PUBLISHED
from evaluation.tables.overrides import without
from evaluation.tables.table import (
    PublishedCell,
    PublishedColumn,
    PublishedRow,
    PublishedTable,
    Suite,
)


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
    suites = {key: Suite(**suite) for key, suite in raw.pop("suites", {}).items()}
    columns = tuple(
        PublishedColumn(name=column, score=scores.get(column, score), **_column(adds))
        for column, adds in raw.pop("columns").items()
    )
    given = raw.pop("rows")
    if unknown := sorted({column.suite for column in columns} - {*suites, ""}):
        raise ValueError(f"table {name}: there is no suite {unknown[0]}")
    bases = tuple(suites[one.suite].overrides if one.suite else () for one in columns)
    rows = tuple(_row(row, columns, bases, shared) for row in given)
    table = PublishedTable(name=name, columns=columns, rows=rows, suites=suites, **raw)
    _check(table)
    return table


def _column(raw: Sequence[str] | dict[str, Any]) -> dict[str, Any]:
    """What a column adds: overrides, or a suite too."""
    return raw if isinstance(raw, dict) else {"overrides": raw}


def _row(
    raw: dict[str, Any],
    columns: Sequence[PublishedColumn],
    suites: Sequence[tuple[str, ...]],
    shared: Sequence[str],
) -> PublishedRow:
    """A row of a table; suites: the overrides of each column's."""
    notes, own = raw.get("notes", {}), raw.get("cells", {})
    kept, run = without(shared, *raw.get("drop", ())), raw.get("overrides")
    cells = tuple(
        PublishedCell(
            published=value,
            shared=() if run is None else (*suite, *kept, *column.overrides, *run),
            own=own.get(column.name, ()),
            why=raw.get("why", ""),
            score=column.score,
            notes=notes.pop(column.name, ()),
            suite=suite,
        )
        for column, suite, value in zip(columns, suites, raw["values"], strict=True)
    )
    more = {name: raw[name] for name in ("protocol", "tiny", "about") if name in raw}
    return PublishedRow(key=raw["key"], notes=notes, cells=cells, **more)


def _check(table: PublishedTable) -> None:
    """Raise ValueError where a file contradicts itself."""
    for row in table.rows:
        called = f"table {table.name}, row {' '.join(row.key)}"
        if len(row.key) != len(table.keys) or len(row.about) not in {0, len(table.about)}:
            raise ValueError(f"{called}: expected {', '.join((*table.keys, *table.about))}")
        if any(bool(cell.overrides) == bool(cell.why) for cell in row.cells):
            raise ValueError(f"{called}: expected either overrides or why")
        if table.suites and not row.protocol:
            raise ValueError(f"{called}: expected the protocol of its numbers")
        used = {mark for cell in row.cells for mark in cell.notes}
        used |= {mark for marks in row.notes.values() for mark in marks}
        texts = {*table.keys, *table.about}
        if unknown := sorted(used - set(table.footnotes)) or sorted(set(row.notes) - texts):
            raise ValueError(f"{called}: there is no footnote or column {unknown[0]}")
