"""Records as tables: one sheet per data set, and what the head of the page says of all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from evaluation.data import load_card
from evaluation.records.flatten import titles_of
from evaluation.report.entry import Entry, commit_of, in_percent


@dataclass(frozen=True)
class ScoreCell:
    """A score in percent; ``best`` of its column among records that can be compared."""

    value: float | None
    best: bool = False


@dataclass(frozen=True)
class MethodGroup:
    """The records of one method, by options. ``highest`` are its best scores, by column."""

    title: str
    entries: Sequence[Entry]
    highest: Sequence[ScoreCell] = ()

    @property
    def published(self) -> str:
        """Year and month of the method; empty if not known."""
        return str(self.entries[0].record.names["published"] or "")


@dataclass
class DatasetSheet:
    """All records of one data set. ``scores`` are names of columns, the headline first."""

    name: str
    entries: list[Entry] = field(default_factory=list)

    @cached_property
    def title(self) -> str:
        """The data set's own name; that of the record where there is no card of it."""
        try:
            return load_card(self.name).title
        except ValueError:
            return self.name

    @cached_property
    def scores(self) -> list[str]:
        """Names of the scores that have a column in any record; others stay in its panel."""
        return list(self.titles)

    @cached_property
    def titles(self) -> dict[str, str]:
        """What tables call these scores."""
        return titles_of([entry.record for entry in self.entries])

    @cached_property
    def varied(self) -> list[str]:
        """Names of the parts that differ between records: they get a column."""
        first = self.entries[0].parts
        return [name for name in first if len({e.parts[name] for e in self.entries}) > 1]

    @cached_property
    def shared(self) -> list[str]:
        """What all records have in common, for the line above the table."""
        parts = self.entries[0].parts.items()
        return [f"{name} {value}" for name, value in parts if name not in self.varied]

    @cached_property
    def compared(self) -> str | None:
        """The samples, by their hash, among whose records the best value is told; None if none.

        Those that several records with trained weights share; of such sets that of most images.
        """
        sound = [entry for entry in self.entries if not entry.random]
        count = Counter((entry.record.images, entry.samples) for entry in sound)
        most = max(count, key=lambda item: (count[item] > 1, item[0], count[item]), default=None)
        return most[1] if most else None

    @cached_property
    def mixed(self) -> bool:
        """Whether records are of different samples."""
        return len({entry.samples for entry in self.entries}) > 1

    def apart(self, entry: Entry) -> bool:
        """Whether a record is left out of the comparison."""
        return entry.random or entry.samples != self.compared

    @cached_property
    def groups(self) -> list[MethodGroup]:
        """The records by method, in the order of the entries."""
        found: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.entries:
            found.setdefault((entry.method, entry.label), []).append(entry)
        return [MethodGroup(key[1], own, self._highest(own)) for key, own in found.items()]

    def _highest(self, entries: Sequence[Entry]) -> list[ScoreCell]:
        """The best value of each column among those records that can be compared."""
        rows = [self.cells(entry) for entry in entries if not self.apart(entry)]
        columns = zip(*rows, strict=True) if rows else [()] * len(self.scores)
        return [
            max(column, key=lambda cell: -1.0 if cell.value is None else cell.value,
                default=ScoreCell(None))
            for column in columns
        ]  # fmt: skip

    def choices(self, name: str) -> list[str]:
        """The distinct values of a part, for its filter."""
        return sorted({entry.parts[name] for entry in self.entries})

    def cells(self, entry: Entry) -> list[ScoreCell]:
        """One row of the table."""
        return [self._cell(entry, name) for name in self.scores]

    @cached_property
    def tops(self) -> dict[str, float]:
        """The best value of each score among records that can be compared; nan if there is none."""
        sound = [entry.record.scores for entry in self.entries if not self.apart(entry)]
        if len(sound) < 2:
            return dict.fromkeys(self.scores, math.nan)
        known = {name: [one[name] for one in sound if name in one] for name in self.scores}
        found = {name: [one for one in values if one is not None] for name, values in known.items()}
        return {name: max(values, default=math.nan) for name, values in found.items()}

    def _cell(self, entry: Entry, name: str) -> ScoreCell:
        value = entry.record.scores.get(name)
        best = not self.apart(entry) and value == self.tops[name]
        return ScoreCell(in_percent(value), best=best)


def sheets(entries: Sequence[Entry]) -> list[DatasetSheet]:
    """One per data set, that with the most records first; in it by method and options."""
    found: dict[str, DatasetSheet] = {}
    for entry in sorted(entries, key=lambda one: one.rank):
        name = entry.record.names["dataset"]
        found.setdefault(name, DatasetSheet(name)).entries.append(entry)
    return sorted(found.values(), key=lambda sheet: (-len(sheet.entries), sheet.name))


def facts(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """What the head of the page says of the records: how many, of which code, on what."""
    code = {commit_of(entry.record) for entry in entries}
    machines = {str(entry.record.cost.get("device", "unknown")) for entry in entries}
    sets = {entry.record.names["dataset"] for entry in entries}
    dates = [entry.record.created for entry in entries]
    latest = max(dates)[:16].replace("T", " ") + " UTC" if dates else "none"
    since = sum(bool(entry.since) for entry in entries)
    return [
        ("Records", f"{len(entries)} on {len(sets)} data set{'s' * (len(sets) != 1)}"),
        ("Latest", latest),
        ("Code", ", ".join(sorted(code)) or "none"),
        *([("Of other code by now", f"{since} of the records")] if since else []),
        ("Machine", ", ".join(sorted(machines)) or "none"),
    ]
