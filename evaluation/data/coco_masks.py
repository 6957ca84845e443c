"""Shapes as COCO writes them (polygons, run lengths), drawn with pycocotools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool


def draw_shape(shape: Any, size: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    """The pixels of a segmentation of a COCO file on an image of (height, width).

    Polygons, uncompressed and compressed run lengths are drawn as pycocotools' ``annToMask`` does.
    Raises ValueError if the run lengths are of another size.
    """
    from pycocotools import mask

    height, width = size
    if isinstance(shape, list):
        return np.asarray(mask.decode(mask.merge(mask.frPyObjects(shape, height, width))), bool)
    counts = shape["counts"]
    if tuple(shape["size"]) != size or (isinstance(counts, list) and sum(counts) != height * width):
        found = "x".join(map(str, shape["size"]))
        raise ValueError(f"a shape is of an image of {found}, expected {height}x{width}")
    runs = mask.frPyObjects(shape, height, width) if isinstance(counts, list) else shape
    return np.asarray(mask.decode(runs), bool)
