"""Records on a terminal: one table, notes, where the files are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from evaluation.console import console, literal, note, say
from evaluation.records.flatten import titles_of
from evaluation.records.names import called
from evaluation.records.record import Record
from evaluation.terminal.whole_words import fitted, table_of, too_wide

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

COLUMNS = ("dataset", "method", "options", "model", "weights", "protocol", "images")
ALWAYS = ("method", "options")


def show(records: Sequence[Record], paths: Sequence[Path]) -> None:
    """One table over records of one data set, then warnings and files."""
    first = records[0]
    names = first.names
    title = f"{names['dataset']}, {first.images} images, protocol {names['protocol']} (%)"
    table = table_of(title)
    table.add_column("method", min_width=12)
    table.add_column("model", no_wrap=True)
    titles = titles_of(records)
    for heading in titles.values():
        table.add_column(literal(heading), justify="right", no_wrap=True)
    table.add_column("img/s", justify="right", no_wrap=True)
    for record in records:
        shown = [percent(record.scores.get(name)) for name in titles]
        speed = record.images_per_second
        said = "-" if speed is None else f"{speed:.1f}"
        table.add_row(literal(called(record.names)), _model(record), *shown, said)
    console.print(fitted(table))
    for record in records:
        if readings := readings_table(record):
            console.print(fitted(readings))
    for warning in dict.fromkeys(line for record in records for line in record.warnings):
        note(warning)
    for path in paths:
        say("record: ", path)


def readings_table(record: Record) -> Table | None:
    """p-mIoU in every reading of the paper's sentence; see `evaluation.metrics.points`.

    None for a record that has no such scores.
    """
    if not set(record.scores) - set(record.titles):
        return None
    from evaluation.metrics.reading import (  # late: this package imports torch
        AGGREGATIONS,
        HEADLINE,
        PAIRS,
        SIDES,
        reading_name,
    )

    every = {reading_name(*parts) for parts in product(AGGREGATIONS, SIDES, PAIRS)}
    if not every <= set(record.scores):
        return None
    title = f"p-mIoU of {called(record.names)} in every reading, the headline in bold (%)"
    table = table_of(title)
    table.add_column("IoU")
    for pairs, side in product(PAIRS, SIDES):
        table.add_column(f"{side}, {pairs}", justify="right", no_wrap=True)
    for aggregation in AGGREGATIONS:
        names = [reading_name(aggregation, side, pairs) for pairs, side in product(PAIRS, SIDES)]
        bold = ["bold" if name == HEADLINE else "" for name in names]
        shown = [
            Text(percent(record.scores[name]), style)
            for name, style in zip(names, bold, strict=True)
        ]
        table.add_row(f"per {aggregation}", *shown)
    return table


def frame_table(frame: pd.DataFrame) -> Table:
    """Names, scores in percent, and the key; what all rows share is in the title."""
    from evaluation.records.query import is_empty  # late: pandas takes as long as all the rest

    shared = [name for name in COLUMNS if name not in ALWAYS and len(set(frame[name])) == 1]
    said = [f"{name} {frame[name].iloc[0]}" for name in shared]
    title = ", ".join([f"{len(frame)} record{'s' * (len(frame) != 1)} (%)", *said])
    titles: dict[str, str] = frame.attrs["titles"]
    scores = [name for name in titles if frame[name].notna().any()]
    columns = [name for name in COLUMNS if name not in shared]
    wide = _columns(title, frame, columns, {name: titles[name] for name in scores})
    if not too_wide(wide):
        return wide
    below = frame.assign(method=[f"{one.method}\n{'' if is_empty(one.options) else one.options}"
                                 .rstrip() for one in frame.itertuples()])  # fmt: skip
    columns.remove("options")
    return _columns(title, below, columns, {name: titles[name] for name in scores})


def _columns(
    title: str, frame: pd.DataFrame, columns: Sequence[str], scores: Mapping[str, str]
) -> Table:
    """A row per record: texts, scores by their titles, the key."""
    from evaluation.records.query import is_empty

    shown = table_of(title)
    for name in columns:
        shown.add_column(name)
    for heading in scores.values():
        shown.add_column(literal(heading), justify="right", no_wrap=True)
    shown.add_column("key", no_wrap=True)
    for one in frame.to_dict("records"):
        names = [_lines("-" if is_empty(one[name]) else one[name]) for name in columns]
        values = ["-" if is_empty(one[name]) else f"{one[name]:.1f}" for name in scores]
        shown.add_row(*names, *values, literal(one["key"]))
    return fitted(shown)


def _lines(value: object) -> Text:
    """A cell of one line; of a method two, if its options stand below it."""
    return Text("\n").join(map(literal, str(value).split("\n")))


def _model(record: Record) -> Text:
    weights = literal(record.model["weights"], "bold red" if record.random else "")
    return Text.assemble(literal(record.model["name"]), ", ", weights)


def percent(score: float | None) -> str:
    """A share as tables print it."""
    return "-" if score is None else f"{100 * score:.1f}"
