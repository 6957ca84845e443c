"""Colours and coloured outlines: what the drawn objects are made of.

Coordinates run from -1 to 1, x to the right and y downwards. Every curve is a polygon, so
that turning, mirroring and scaling an object is one affine map of its corners, and the image
and the mask are filled from the very same corners.
"""

import math
from dataclasses import dataclass

Colour = tuple[int, int, int]
Point = tuple[float, float]

COLOURS: dict[str, Colour] = {
    "red": (214, 48, 49),
    "orange": (240, 134, 40),
    "yellow": (246, 205, 62),
    "green": (70, 160, 84),
    "blue": (56, 116, 208),
    "purple": (136, 84, 190),
    "pink": (236, 128, 172),
    "brown": (140, 92, 56),
    "white": (240, 240, 236),
    "gray": (136, 142, 150),
}
"""The named colours that an object may have, as RGB in 0..255."""

INK: Colour = (38, 38, 46)
GLASS: Colour = (196, 226, 240)
WOOD: Colour = (122, 82, 52)


@dataclass(frozen=True)
class Part:
    """One filled outline: corners in the unit square of its object, and an RGB colour."""

    corners: tuple[Point, ...]
    colour: Colour


@dataclass(frozen=True)
class Paint:
    """The two colours that an object is drawn in."""

    main: Colour
    accent: Colour

    @property
    def shade(self) -> Colour:
        """The main colour, darker."""
        return mix(self.main, INK, 0.35)

    @property
    def tint(self) -> Colour:
        """The main colour, lighter."""
        return mix(self.main, (255, 255, 255), 0.45)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`first` moved towards `second` by `share` (0..1)."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def oval(x: float, y: float, rx: float, ry: float, colour: Colour) -> Part:
    """An ellipse around (x, y)."""
    turns = (2 * math.pi * i / 36 for i in range(36))
    return Part(tuple((x + rx * math.cos(t), y + ry * math.sin(t)) for t in turns), colour)


def dome(x: float, y: float, rx: float, ry: float, colour: Colour) -> Part:
    """The upper half of an ellipse around (x, y), closed by a straight base."""
    turns = (math.pi * (1 + i / 20) for i in range(21))
    return Part(tuple((x + rx * math.cos(t), y + ry * math.sin(t)) for t in turns), colour)


def box(left: float, top: float, right: float, bottom: float, colour: Colour) -> Part:
    """An upright rectangle."""
    return Part(((left, top), (right, top), (right, bottom), (left, bottom)), colour)


def shape(colour: Colour, *corners: Point) -> Part:
    """A polygon."""
    return Part(corners, colour)


def spikes(count: int, outer: float, inner: float, colour: Colour) -> Part:
    """A star-shaped polygon around the origin with `count` tips, one of them on top."""
    corners = []
    for i in range(2 * count):
        radius, turn = (inner if i % 2 else outer), math.pi * (i / count - 0.5)
        corners.append((radius * math.cos(turn), radius * math.sin(turn)))
    return Part(tuple(corners), colour)


def ring(count: int, distance: float, radius: float, colour: Colour) -> list[Part]:
    """`count` circles around the origin at `distance`."""
    turns = (2 * math.pi * i / count for i in range(count))
    return [
        oval(distance * math.cos(t), distance * math.sin(t), radius, radius, colour) for t in turns
    ]
