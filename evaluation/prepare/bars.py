"""Progress of work whose size is not known before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from evaluation.console import console
from evaluation.prepare.download import Told


@contextmanager
def counting(title: str) -> Iterator[Callable[[int], None]]:
    """A count of files on a terminal; silence in a log."""
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:.0f} files"))
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda files: bar.advance(task, files)


@contextmanager
def downloading(title: str) -> Iterator[Told]:
    """Bytes and speed of one download on a terminal; silence in a log."""
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
