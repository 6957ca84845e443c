"""The terminal: one console, and progress of long work."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

console = Console(soft_wrap=True)

# What a terminal obeys instead of showing it (Cc, Cf: escape, bell, carriage return, bidirectional
# overrides), a line that would look like one of ours (Zl, Zp), and what no encoding holds (Cs).
COMMANDS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
JOINERS = "\u200c\u200d"  # of the kind Cf, but Persian and Hindi words are spelled with them


def visible(text: object) -> str:
    r"""Text in which what would command a terminal is written out: ``\x1b`` for an escape."""
    shown = "".join(
        one.encode("unicode_escape").decode()
        if unicodedata.category(one) in COMMANDS and one not in JOINERS
        else one
        for one in str(text)
    )
    encoding = console.encoding  # a terminal or a log that is not UTF-8 must not end a run
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def literal(text: object, style: str = "") -> Text:
    """Text of a user, a file or a record, printed as it is: no markup, no terminal sequences."""
    return Text(visible(text), style)


def say(*parts: object) -> None:
    """Print one line, its parts as `literal` has them unless they are rich's."""
    shown = [part if isinstance(part, Text) else literal(part) for part in parts]
    console.print(Text.assemble(*shown), highlight=False)


def note(text: object) -> None:
    """Print what a reader must know."""
    say(Text("note: ", "bold yellow"), text)


@contextmanager
def bars() -> Iterator[Callable[[str, int], Bar]]:
    """Bars with rate and time left on a terminal; silence in a log.

    Gives a function of a title and a total, which begins a bar below the others.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as shown:
        yield lambda title, total: Bar(shown, shown.add_task(visible(title), total=total, rate=""))


@dataclass(frozen=True)
class Bar:
    """One bar of several."""

    shown: Progress
    task: TaskID

    def advance(self, images: int) -> None:
        """So many more are done."""
        self.shown.advance(self.task, images)
        speed = next(one.speed for one in self.shown.tasks if one.id == self.task)
        self.shown.update(self.task, rate=f"{speed:.1f} images/s" if speed else "")

    def close(self) -> None:
        """Take it away."""
        self.shown.remove_task(self.task)


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """One of `bars` alone."""
    with bars() as begin:
        yield begin(title, total).advance


@contextmanager
def counting(title: str) -> Iterator[Callable[[int], None]]:
    """A count of files, however many there will be, on a terminal; silence in a log."""
    columns = (
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.completed:.0f} files"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(visible(title), total=None)
        yield lambda files: bar.advance(task, files)


@contextmanager
def downloading(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """Bytes and speed of one download on a terminal; silence in a log.

    Gives a function of the bytes that are there and of all the bytes, None if that is not known.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(visible(title), total=None)
        yield lambda have, total: bar.update(task, completed=have, total=total)
