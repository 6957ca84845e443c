"""Tables of which no word is broken, however narrow the terminal is."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from evaluation.console import console, literal

LONGEST = 40  # letters of a word that is never broken: a file with its folders may be
NO_LIMIT = 10_000
FILE_WIDTH = 160  # letters of a line of a file or pipe, which nobody resizes


def table_of(title: object) -> Table:
    """An empty table; its title is text of a user, a file or a record."""
    return Table(title=literal(title), title_justify="left")


def fitted(table: Table) -> Table:
    """The table as wide as it must be for each column to hold its longest word.

    Where a terminal is narrower, the lines between columns go and headings have a line for each
    word; then lines are longer than the terminal. In a file or a pipe they are at most
    `FILE_WIDTH`, if no word is longer.
    """
    whole_words(table)
    room = console.width if console.is_terminal else max(console.width, FILE_WIDTH)
    if width_of(table).minimum > room:
        table.box, table.pad_edge, table.padding = box.SIMPLE_HEAD, False, (0, 1, 0, 0)
        for column in table.columns:
            column.header = Text("\n").join(map(Text, _plain(column.header).split()))
    found = width_of(table)
    title = max(map(len, _plain(table.title or "").split()), default=0)
    table.width = max(found.minimum, min(title, room), min(found.maximum, room))
    return table


def whole_words(table: Table) -> Table:
    """Each column of the table at least as wide as its longest word."""
    for column in table.columns:
        texts = [column.header, *column.cells]
        words = [word for text in texts for word in _plain(text).split()]
        longest = max((len(word) for word in words), default=0)
        column.min_width = max(column.min_width or 0, min(longest, LONGEST))
    return table


def too_wide(table: Table) -> bool:
    """Whether a terminal would break the lines of a table that `fitted` gave."""
    return console.is_terminal and (table.width or 0) > console.width


def width_of(table: Table) -> Measurement:
    """The width at which no word of a table is broken, and that at which no cell has two lines."""
    wide = Console(width=NO_LIMIT)
    return Measurement.get(wide, wide.options, table)


def _plain(text: object) -> str:
    return text.plain if isinstance(text, Text) else str(text)
