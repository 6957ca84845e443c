"""Shapes as COCO writes them (polygons, run lengths), checked and drawn.

pycocotools draws polygons. It is not asked to check them: it skips a last odd value, draws nothing
for NaN, and leaves its memory for infinity and for coordinates far outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64, Int64

OUTSIDE = 5
"""Pixels by which a polygon may leave its image; official ones do by one or two."""


@dataclass(frozen=True)
class Shape:
    """The pixels of one annotation: polygons, or lengths of runs column by column from a 0-run."""

    polygons: tuple[Float64[np.ndarray, " xy"], ...] = ()
    runs: Int64[np.ndarray, " n"] | None = None


def draw_shape(shape: Any, size: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    """The pixels of a segmentation of a COCO file on an image of (height, width).

    Polygons, uncompressed and compressed run lengths are drawn as pycocotools' ``annToMask`` does.
    Raises what `read_shape` does.
    """
    found, (height, width) = read_shape(shape, size), size
    if found.runs is not None:
        values = np.arange(len(found.runs)) % 2 == 1
        return np.repeat(values, found.runs).reshape(width, height).T
    from pycocotools import mask

    drawn = mask.merge(mask.frPyObjects(list(found.polygons), height, width))
    return np.asarray(mask.decode(drawn), bool)


def read_shape(shape: Any, size: tuple[int, int]) -> Shape:
    """A segmentation, checked: it can be drawn on an image of (height, width).

    Raises ValueError if it is neither polygons nor run lengths, or not those of such an image.
    """
    if isinstance(shape, list) and shape:
        return Shape(polygons=tuple(_polygon(one, size) for one in shape))
    if not isinstance(shape, dict) or not {"size", "counts"} <= set(shape):
        raise ValueError(f"its shape is {_short(shape)}, expected polygons or run lengths")
    if shape["size"] != list(size):
        raise ValueError(
            f"its shape is of an image of {_short(shape['size'])}, expected {list(size)} "
            "[height, width]"
        )
    counts = shape["counts"]
    runs = _uncompressed(counts) if isinstance(counts, list) else _decompressed(counts)
    pixels = size[0] * size[1]
    if not len(runs) or runs.min() < 0 or runs.max() > pixels or runs.sum() != pixels:
        raise ValueError(
            f"its run lengths {_short(runs.tolist())} are not those of an image of {pixels} pixels"
        )
    return Shape(runs=runs)


def _polygon(numbers: Any, size: tuple[int, int]) -> Float64[np.ndarray, " xy"]:
    """x, y, x, y, ... of one polygon."""
    found = _numbers(numbers, kinds="iuf")
    if found is None or found.size < 6 or found.size % 2 or not np.isfinite(found).all():
        raise ValueError(
            f"a polygon is {_short(numbers)}, expected an even number of finite values, 6 at least"
        )
    for side, values in (("right", found[0::2]), ("bottom", found[1::2])):
        last = size[1] if side == "right" else size[0]
        if values.min() < -OUTSIDE or values.max() > last + OUTSIDE:
            wrong = values.min() if values.min() < -OUTSIDE else values.max()
            raise ValueError(
                f"a polygon reaches {'x' if side == 'right' else 'y'} = {wrong:g}, more than "
                f"{OUTSIDE} pixels outside of an image of {size[0]}x{size[1]} (height x width)"
            )
    return found.astype(np.float64)


def _uncompressed(counts: list[Any]) -> Int64[np.ndarray, " n"]:
    found = _numbers(counts, kinds="i")
    if found is None:
        raise ValueError(f"its run lengths are {_short(counts)}, expected whole numbers")
    return found.astype(np.int64)


def _numbers(values: Any, *, kinds: str) -> np.ndarray | None:
    """A list of plain numbers as an array; None if it is anything else: text is no number."""
    if not isinstance(values, list):
        return None
    try:
        found = np.asarray(values)
    except (ValueError, OverflowError):  # lists of other lengths inside, giant numbers
        return None
    return found if found.ndim == 1 and found.dtype.kind in kinds else None


def _decompressed(counts: Any) -> Int64[np.ndarray, " n"]:
    """Run lengths of COCO's text: 5 bits a character, as differences to the run before the last."""
    text = counts.encode() if isinstance(counts, str) else counts
    wrong = ValueError(f"its run lengths are {_short(counts)}, which is none of COCO's codes")
    if not isinstance(text, bytes) or not text:
        raise wrong
    values = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero((values & 32) == 0)
    if values.min() < 0 or values.max() > 63 or not len(ends) or ends[-1] != len(values) - 1:
        raise wrong
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 8:  # 40 bits: no image has as many pixels
        raise wrong
    place = np.arange(len(values)) - np.repeat(starts, lengths)
    runs = np.add.reduceat((values & 31) << (5 * place), starts)
    runs -= np.where(values[ends] & 16, np.int64(1) << (5 * lengths), 0)
    for first in (1, 2):  # each from the fourth on is a difference
        runs[first::2] = np.cumsum(runs[first::2])
    return runs


def _short(value: Any) -> str:
    """A value as an error shows it."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
