"""One table for a whole sweep, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from rich.table import Table

from evaluation.console import HEADINGS, console

if TYPE_CHECKING:
    from evaluation.records.record import Record
    from evaluation.run.sweep import Done


@dataclass(frozen=True)
class Row:
    """One setting by the words that made it (``gem.iters=3``), and what became of it."""

    words: tuple[str, ...]
    done: Done | None
    error: str | None


def show_sweep(rows: Sequence[Row]) -> None:
    """Print a line per setting and a column per score and data set, notes, files, and failures."""
    records = [row.done.record for row in rows if row.done and row.done.record]
    if records:
        console.print(sweep_table(rows, records))
    for warning in dict.fromkeys(line for record in records for line in record.warnings):
        console.print(f"[bold yellow]note:[/] {warning}")
    paths = {row.done.path for row in rows if row.done and row.done.path}
    for folder in dict.fromkeys(path.parent for path in sorted(paths)):
        count = sum(path.parent == folder for path in paths)
        console.print(f"records: {folder} ({count} of this sweep)", highlight=False)
    if failed := [row for row in rows if row.error]:
        console.print(f"[bold red]{len(failed)} of {len(rows)} settings failed:[/]")
    common = _common(rows)
    for row in failed:
        words = [word for word in row.words if word not in common] or row.words
        console.print(f"  {' '.join(words)}: {row.error}", highlight=False, markup=False)


def sweep_table(rows: Sequence[Row], records: Sequence[Record]) -> Table:
    """Lines are told apart by the words that not all have, columns by data set and score."""
    common = _common(rows)
    title = " ".join(word for word in rows[0].words if word in common)
    table = Table(title=f"{title} (%)".strip(), title_justify="left")
    table.add_column("setting")
    columns = _columns(records)
    for dataset, score in columns:
        heading = HEADINGS.get(score, score)
        table.add_column(f"{dataset}\n{heading}", justify="right", no_wrap=True)
    lines: dict[str, dict[str, Row]] = {}
    for row in rows:
        own = [word for word in row.words if word not in common and not _names_data(word)]
        dataset = row.done.record.names["dataset"] if row.done and row.done.record else ""
        lines.setdefault(" ".join(own), {})[dataset] = row
    for words, found in lines.items():
        table.add_row(
            words or "default", *(_cell(found.get(data), score) for data, score in columns)
        )
    return table


def _common(rows: Sequence[Row]) -> set[str]:
    """The words that all rows have."""
    return set.intersection(*(set(row.words) for row in rows))


def _columns(records: Sequence[Record]) -> list[tuple[str, str]]:
    """All scores of one data set, or the headline of each of several."""
    scores = {record.names["dataset"]: list(record.scores) for record in records}
    if len(scores) > 1:
        return [(dataset, names[0]) for dataset, names in scores.items()]
    ((dataset, names),) = scores.items()
    return list(product([dataset], [name for name in names if not name.startswith("pmiou_")]))


def _names_data(word: str) -> bool:
    return word.startswith("dataset=")


def _cell(row: Row | None, score: str) -> str:
    record = row.done.record if row and row.done else None
    value = record.scores.get(score) if record else None
    return "-" if value is None else f"{100 * value:.1f}"
