"""One table for a whole sweep, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from evaluation.console import console, literal, note, say
from evaluation.records.flatten import titles_of
from evaluation.terminal.record_table import percent
from evaluation.terminal.whole_words import fitted, table_of

if TYPE_CHECKING:
    from rich.table import Table

    from evaluation.records.record import Record
    from evaluation.run.sweep import Outcome


@dataclass(frozen=True)
class SweepRow:
    """One setting by its overrides (``gem.iters=3``), and what became of it."""

    overrides: tuple[str, ...]
    outcome: Outcome | None
    error: str | None

    @property
    def record(self) -> Record | None:
        """The record, if there is one."""
        return self.outcome.record if self.outcome else None


def show_sweep(rows: Sequence[SweepRow]) -> None:
    """Print a line per setting and a column per score and data set, notes, files, and failures."""
    records = [row.record for row in rows if row.record]
    if records:
        console.print(fitted(sweep_table(rows, records)))
    for warning in dict.fromkeys(line for record in records for line in record.warnings):
        note(warning)
    paths = {row.outcome.path for row in rows if row.outcome and row.outcome.path}
    for folder in dict.fromkeys(path.parent for path in sorted(paths)):
        count = sum(path.parent == folder for path in paths)
        say("records: ", folder, f" ({count} of this sweep)")
    if failed := [row for row in rows if row.error]:
        say(Text(f"{len(failed)} of {len(rows)} settings failed:", "bold red"))
    common = _common(rows)
    for row in failed:
        own = [word for word in row.overrides if word not in common] or row.overrides
        say(f"  {' '.join(own)}: {row.error}")


def sweep_table(rows: Sequence[SweepRow], records: Sequence[Record]) -> Table:
    """Lines are told apart by the overrides that not all have, columns by data set and score."""
    common = _common(rows)
    title = " ".join(word for word in rows[0].overrides if word in common)
    table = table_of(f"{title} (%)".strip())
    table.add_column("setting")
    columns = _columns(records)
    for dataset, _, heading in columns:
        lines = Text("\n").join([literal(dataset), literal(heading)])
        table.add_column(lines, justify="right", no_wrap=True)
    by_words: dict[str, dict[str, SweepRow]] = {}
    for row in rows:
        own = [word for word in row.overrides if word not in common and not _names_data(word)]
        dataset = row.record.names["dataset"] if row.record else ""
        by_words.setdefault(" ".join(own), {})[dataset] = row
    for overrides, found in by_words.items():
        cells = [_cell(found.get(data), score) for data, score, _ in columns]
        table.add_row(literal(overrides or "default"), *cells)
    return table


def _common(rows: Sequence[SweepRow]) -> set[str]:
    """The overrides that all rows have."""
    return set.intersection(*(set(row.overrides) for row in rows))


def _columns(records: Sequence[Record]) -> list[tuple[str, str, str]]:
    """Data set, score and title: all scores of one data set, or the headline of each of several."""
    by_dataset: dict[str, list[Record]] = {}
    for record in records:
        by_dataset.setdefault(record.names["dataset"], []).append(record)
    found = [
        (dataset, name, title)
        for dataset, mine in by_dataset.items()
        for name, title in titles_of(mine).items()
    ]
    if len(by_dataset) == 1:
        return found
    headlines = {dataset: next(iter(mine[0].scores)) for dataset, mine in by_dataset.items()}
    return [column for column in found if column[1] == headlines[column[0]]]


def _names_data(word: str) -> bool:
    return word.startswith("dataset=")


def _cell(row: SweepRow | None, score: str) -> str:
    record = row.record if row else None
    return percent(record.scores.get(score) if record else None)
