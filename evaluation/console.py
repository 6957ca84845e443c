"""What a person sees: progress on a terminal, one table, where the records are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from evaluation.measure.evaluate import Advance
    from evaluation.records.record import Record

HEADINGS = {
    "miou": "mIoU",
    "miou_foreground": "mIoU fg",
    "heatmap_iou": "map IoU",
    "pixel_accuracy": "pix acc",
    "pmiou": "p-mIoU",
}
console = Console(soft_wrap=True)


@contextmanager
def progress(title: str, total: int) -> Iterator[Advance]:
    """A bar with rate and time left on a terminal; silence in a log."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=total, rate="")

        def advance(images: int) -> None:
            bar.advance(task, images)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{speed:.1f} images/s" if speed else "")

        yield advance


@contextmanager
def counting(title: str) -> Iterator[Callable[[int], None]]:
    """A count of files, however many there will be, on a terminal; silence in a log."""
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:.0f} files"))
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda files: bar.advance(task, files)


@contextmanager
def downloading(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """Bytes and speed of one download on a terminal; silence in a log.

    Gives a function of the bytes that are there and of all the bytes, None if that is not known.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda have, total: bar.update(task, completed=have, total=total)


def show(records: Sequence[Record], paths: Sequence[Path]) -> None:
    """One table over records of one data set, then warnings and files."""
    first = records[0]
    names = first.names
    title = f"{names['dataset']}, {first.images} images, protocol {names['protocol']} (%)"
    table = Table(title=title, title_justify="left")
    table.add_column("method", min_width=12)
    table.add_column("backbone", no_wrap=True)
    scores = [name for name in first.scores if not name.startswith("pmiou_")]
    for score in scores:
        table.add_column(HEADINGS[score], justify="right", no_wrap=True)
    table.add_column("img/s", justify="right", no_wrap=True)
    for record in records:
        shown = [_percent(record.scores[name]) for name in scores]
        speed = record.images_per_second
        table.add_row(
            _method(record), _model(record), *shown, "-" if speed is None else f"{speed:.1f}"
        )
    console.print(table)
    for record in records:
        if "pmiou" in record.scores:
            console.print(readings_table(record))
    for warning in dict.fromkeys(line for record in records for line in record.warnings):
        console.print(f"[bold yellow]note:[/] {warning}")
    for path in paths:
        console.print(f"record: {path}", highlight=False)


def readings_table(record: Record) -> Table:
    """p-mIoU in every reading of the paper's sentence; see `evaluation.metrics.points`."""
    from evaluation.metrics.points import AGGREGATIONS, PAIRS, SIDES, reading_name

    title = f"p-mIoU of {_method(record)} in every reading, the headline in bold (%)"
    table = Table(title=title, title_justify="left")
    table.add_column("IoU")
    for pairs, side in product(PAIRS, SIDES):
        table.add_column(f"{side}, {pairs}", justify="right", no_wrap=True)
    for aggregation in AGGREGATIONS:
        names = [reading_name(aggregation, side, pairs) for pairs, side in product(PAIRS, SIDES)]
        shown = [_percent(record.scores[name]) for name in names]
        shown[0] = f"[bold]{shown[0]}[/]" if names[0] == "pmiou" else shown[0]
        table.add_row(f"per {aggregation}", *shown)
    return table


def _method(record: Record) -> str:
    return f"{record.names['method']} {record.names['options']}".strip()


def _model(record: Record) -> str:
    weights = record.backbone["weights"]
    shown = weights if record.backbone["sha256"] else f"[bold red]{weights}[/]"
    return f"{record.backbone['model']}, {shown}"


def _percent(score: float | None) -> str:
    return "-" if score is None else f"{100 * score:.1f}"
