"""The terminal: one console, and progress of long work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

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

console = Console(soft_wrap=True)


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
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
