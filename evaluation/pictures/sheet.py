"""A sheet: rows of small pictures with a line of text below each, headings, and a legend.

Text has at least 11 points where the sheet is 8.75 inches wide, so that a phone shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

WIDTH, NARROWEST, GAP = 1400, 220, 10  # pixels: of the sheet, of a column, between columns
TEXT, HEADING = 25, 29  # pixels of a line: 160 make an inch, of 72 points
TALLEST = 1.4  # rows of a picture over its columns; a taller one is made smaller
INK, PALE, PAPER = (25, 25, 25), (90, 90, 90), (255, 255, 255)


@dataclass(frozen=True)
class Cell:
    """A picture of a row, and what is said below it."""

    picture: Image.Image
    below: str = ""


class Sheet:
    """Grows downwards: what is added stands below what was."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.width = max(WIDTH, GAP + columns * (NARROWEST + GAP))
        self.cell = (self.width - GAP) // columns - GAP
        self._parts: list[Image.Image] = []

    def fitted(self, image: Image.Image) -> Image.Image:
        """An image at the size of a cell."""
        factor = min(self.cell / image.width, TALLEST * self.cell / image.height)
        width, height = (max(1, round(side * factor)) for side in image.size)
        return image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)

    def heading(self, text: str) -> None:
        """One line, over the whole width."""
        part = self._strip(HEADING + 2 * GAP)
        ImageDraw.Draw(part).text(
            (GAP, GAP), _cut(text, self.width - 2 * GAP, HEADING), INK, font=font(HEADING)
        )

    def titles(self, names: Sequence[str]) -> None:
        """The names of the columns, each in two lines at most."""
        told = [_lines(name, self.cell)[:2] for name in names]
        down = max(map(len, told))
        part = self._strip(down * (TEXT + 4) + GAP // 2)
        pen = ImageDraw.Draw(part)
        for column, lines in enumerate(told):
            for number, line in enumerate(lines, start=down - len(lines)):
                centre = self._left(column) + self.cell / 2
                pen.text(
                    (centre, number * (TEXT + 4)),
                    _cut(line, self.cell, TEXT),
                    INK,
                    font=font(TEXT),
                    anchor="ma",
                )

    def row(self, cells: Sequence[Cell]) -> None:
        """Pictures beside each other, already `fitted`."""
        tall = max(cell.picture.height for cell in cells)
        part = self._strip(tall + TEXT + 2 * GAP)
        pen = ImageDraw.Draw(part)
        for column, cell in enumerate(cells):
            spare = self.cell - cell.picture.width
            part.paste(cell.picture, (self._left(column) + spare // 2, 0))
            centre = self._left(column) + self.cell / 2
            pen.text(
                (centre, tall + 3),
                _cut(cell.below, self.cell, TEXT),
                INK,
                font=font(TEXT),
                anchor="ma",
            )

    def legend(self, names: Sequence[tuple[str, tuple[int, int, int]]]) -> None:
        """A square of each colour with its name, in as many lines as they take."""
        lines: list[list[tuple[float, str, tuple[int, int, int]]]] = [[]]
        left = float(GAP)
        for name, colour in names:
            wide = 2 * TEXT + font(TEXT).getlength(name) + GAP
            if lines[-1] and left + wide > self.width:
                lines.append([])
                left = float(GAP)
            lines[-1].append((left, name, colour))
            left += wide
        part = self._strip(len(lines) * (TEXT + GAP) + GAP)
        pen = ImageDraw.Draw(part)
        for number, line in enumerate(lines):
            top = number * (TEXT + GAP) + GAP // 2
            for place, name, colour in line:
                pen.rectangle((place, top + 2, place + TEXT, top + TEXT), fill=colour, outline=PALE)
                pen.text((place + TEXT + 8, top), name, INK, font=font(TEXT))

    def text(self, said: str) -> None:
        """A paragraph."""
        lines = _lines(said, self.width - 2 * GAP)
        part = self._strip(len(lines) * (TEXT + 6) + GAP)
        pen = ImageDraw.Draw(part)
        for number, line in enumerate(lines):
            pen.text((GAP, number * (TEXT + 6)), line, PALE, font=font(TEXT))

    def image(self) -> Image.Image:
        """All that was added."""
        whole = Image.new(
            "RGB", (self.width, sum(part.height for part in self._parts) + GAP), PAPER
        )
        top = 0
        for part in self._parts:
            whole.paste(part, (0, top))
            top += part.height
        return whole

    def _left(self, column: int) -> int:
        return GAP + column * (self.cell + GAP)

    def _strip(self, height: int) -> Image.Image:
        self._parts.append(Image.new("RGB", (self.width, height), PAPER))
        return self._parts[-1]


def _lines(text: str, width: float) -> list[str]:
    """Words in lines that are no wider, but for a single word that is."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font(TEXT).getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _cut(text: str, width: float, size: int) -> str:
    """A line that is no wider; what is cut off is shown as three dots."""
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."


@cache
def font(size: int) -> Any:
    """Pillow's own."""
    return ImageFont.load_default(size)
