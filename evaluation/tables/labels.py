"""Names of dots: each beside its dot where no other name, dot or edge is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.transforms import Bbox

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DISTANCES = (4, 9, 15, 22, 30, 40)  # points from a dot to its name
ANGLES = (0, 180, 60, 300, 120, 240, 90, 270, 30, 330, 150, 210)  # degrees, to the right first
NEAR = 9  # points: beyond, a line leads to the dot
DOT = 3.0  # points around the middle of a dot
STEPS = 12  # points between two corners of a line
Point = tuple[float, float]


@dataclass(frozen=True)
class Name:
    """A text that belongs to a point of an axis."""

    text: str
    x: float
    y: float
    colour: str


@dataclass(frozen=True)
class Try:
    """A place for a text: its middle left, middle or middle right is so many points off.

    line: points of what leads to its dot, where it is far from it.
    """

    x: float
    y: float
    side: str
    box: Bbox
    line: tuple[np.ndarray, ...]


def place(
    figure: Figure,
    axis: Axes,
    names: Sequence[Name],
    *,
    dots: Sequence[Point],
    lines: Sequence[Sequence[Point]] = (),
) -> list[Bbox]:
    """Write each name at the nearest place that is free, else where it covers least.

    dots, lines: points of the axis that no name may cover, and what is drawn between some.
    Returns the boxes of the names, in pixels. The figure's layout must not change afterwards.
    """
    figure.draw_without_rendering()
    pixels = figure.dpi / 72
    full = [_around(point, DOT * pixels) for point in axis.transData.transform(list(dots))]
    for line in lines:
        full += [_around(point, pixels) for point in _along(axis.transData.transform(list(line)))]
    frame, found = axis.get_window_extent(), list[Bbox]()
    for name in names:
        taken = np.array([one.extents for one in full]).reshape(-1, 4)
        best = min(_tries(figure, axis, name), key=partial(_cost, full=taken, frame=frame))
        _write(axis, name, best)
        full.append(best.box)
        found.append(best.box)
    return found


def _around(point: Sequence[float] | np.ndarray, reach: float) -> Bbox:
    x, y = point
    return Bbox.from_extents(x - reach, y - reach, x + reach, y + reach)


def _along(corners: np.ndarray) -> Iterator[np.ndarray]:
    """Points on a line, so close that no name has room between two."""
    for start, end in pairwise(corners):
        for share in np.linspace(0, 1, STEPS):
            yield start + share * (end - start)


def _tries(figure: Figure, axis: Axes, name: Name) -> Iterator[Try]:
    """Every place around the dot, the nearest first, with the box in pixels."""
    text = axis.text(0, 0, name.text)
    size = text.get_window_extent()
    text.remove()
    pixels = figure.dpi / 72
    middle = axis.transData.transform((name.x, name.y))
    for distance in DISTANCES:
        for angle in ANGLES:
            x, y = (distance * part(math.radians(angle)) for part in (math.cos, math.sin))
            side = "left" if x > 1 else "right" if x < -1 else "center"
            y += math.copysign(size.height / pixels / 2, y) * min(abs(y) / 4, 1)
            end = middle + np.array([x, y]) * pixels
            left = end[0] - {"left": 0, "center": 0.5, "right": 1}[side] * size.width
            box = Bbox.from_bounds(left, end[1] - size.height / 2, size.width, size.height)
            far = distance > NEAR
            yield Try(x, y, side, box, tuple(_along(np.stack([middle, end]))) if far else ())


def _write(axis: Axes, name: Name, at: Try) -> None:
    """The text, and a line where it is far from its dot."""
    line = {"arrowstyle": "-", "linewidth": 0.4, "color": name.colour, "shrinkA": 0, "shrinkB": 2}
    note = axis.annotate(
        name.text, (name.x, name.y), xytext=(at.x, at.y), textcoords="offset points",
        ha=at.side, va="center", color=name.colour, arrowprops=line if at.line else None, zorder=5,
    )  # fmt: skip
    note.set_in_layout(False)


def _cost(tried: Try, full: np.ndarray, frame: Bbox) -> float:
    """Square pixels of other things that a place covers, or that lie outside of the frame.

    A line that crosses a name counts as much as a letter of it.
    """
    box = tried.box
    outside = box.width * box.height - _shared(box, np.array([frame.extents])).sum()
    points = np.array(tried.line[STEPS // 3 :]).reshape(-1, 1, 2)
    crossed = ((points >= full[:, :2]) & (points <= full[:, 2:])).all(axis=2).sum()
    area = _shared(box, full).sum() + crossed * box.height**2 / 2
    return round(float(max(outside, 0) + area), 3)


def _shared(box: Bbox, others: np.ndarray) -> np.ndarray:
    """Square pixels that a box has in common with each of some, which are rows of extents."""
    low, high = box.extents[:2], box.extents[2:]
    sides = np.minimum(high, others[:, 2:]) - np.maximum(low, others[:, :2])
    area: np.ndarray = sides.clip(0, None).prod(axis=1)
    return area
