"""Scores as means of ratios of sums over images: what a bootstrap over images needs.

A score of a record is the mean over its groups (the classes; one group where there is no mean over
classes) of a ratio of two sums over the images. So the images of a data set can be drawn anew by
weights: w times an image is w times its numbers.

Shapes: n images, g groups, d draws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.records.image_counts import ImageCounts

if TYPE_CHECKING:
    from jaxtyping import Float64, Int64

    Parts = Float64[np.ndarray, "n g 2"]
    Numbers = np.ndarray[Any, Any]


def parts_of(counts: ImageCounts, score: str) -> Parts | None:
    """Numerators and denominators of a score by image and group; None for one that has none.

    The sums over the images give the score of the record. Scores with a column in tables have
    parts; other readings of p-mIoU have not.
    """
    read = PARTS.get(score)
    return read(counts) if read else None


def scores_of(weights: Float64[np.ndarray, "d n"], parts: Parts) -> Float64[np.ndarray, " d"]:
    """A score with each image counted as often as a weight says; nan where no group occurs.

    Groups whose denominator is 0 are left out of the mean, as in `evaluation.metrics.matrix`.
    """
    over, under = weights @ parts[..., 0], weights @ parts[..., 1]  # whole numbers stay exact
    ratios = _divided(over, under, 0.0)
    return _divided(ratios.sum(axis=1), (under > 0).sum(axis=1), np.nan)


def image_values(counts: ImageCounts) -> Float64[np.ndarray, " n"]:
    """One number for each image; nan for an image without truth.

    Of masks the mean IoU over the labels that the truth of the image shows, which are the same
    whatever is predicted. Of points the IoU of the image, whose mean is the headline p-mIoU.
    """
    if "rows" in counts.arrays:
        parts = _point_parts(counts)[:, 0]
        return _divided(parts[:, 0], parts[:, 1], np.nan)
    matrix = counts.arrays["matrix"]
    shown = matrix[..., 2] > 0
    iou = _divided(matrix[..., 0], _unions(matrix) * shown, 0.0)
    return _divided(iou.sum(axis=1), shown.sum(axis=1), np.nan)


def _divided(over: Numbers, under: Numbers, nothing: float) -> Float64[np.ndarray, "..."]:
    """The quotient; ``nothing`` where it is over 0."""
    found: Float64[np.ndarray, "..."] = np.full(np.shape(over), nothing)
    np.divide(over, under, out=found, where=under > 0)
    return found


def _unions(margins: Int64[np.ndarray, "n g 3"]) -> Int64[np.ndarray, "n g"]:
    right, predicted, true = np.moveaxis(margins, -1, 0)
    found: Int64[np.ndarray, "n g"] = predicted + true - right
    return found


def _iou_parts(name: str) -> Callable[[ImageCounts], Parts | None]:
    def read(counts: ImageCounts) -> Parts | None:
        margins = counts.arrays.get(name)
        if margins is None:
            return None
        return np.stack([margins[..., 0], _unions(margins)], axis=-1).astype(float)

    return read


def _heatmap_parts(counts: ImageCounts) -> Parts | None:
    found = counts.arrays.get("heatmap")
    return None if found is None else found.astype(float)


def _accuracy_parts(counts: ImageCounts) -> Parts | None:
    margins = counts.arrays.get("matrix")
    return (
        None if margins is None else margins[..., [0, 2]].sum(axis=1, keepdims=True).astype(float)
    )


def _point_parts(counts: ImageCounts) -> Parts:
    """IoU of the points of each image in its pairs with a yes-point, over 1; 0 over 0 for none."""
    rows = counts.arrays["rows"]
    rows = rows[rows[:, 2] + rows[:, 3] > 0]
    sums = np.zeros((len(counts.ids), 4))
    np.add.at(sums, rows[:, 0], rows[:, 2:])
    hits, missed, false, _ = sums.T
    seen = hits + missed > 0
    iou = _divided(hits, (hits + missed + false) * seen, 0.0)
    return np.stack([iou, seen.astype(float)], axis=1)[:, None]


PARTS: dict[str, Callable[[ImageCounts], Parts | None]] = {
    "miou": _iou_parts("matrix"),
    "miou_foreground": _iou_parts("foreground"),
    "heatmap_iou": _heatmap_parts,
    "pixel_accuracy": _accuracy_parts,
    "pmiou": lambda counts: _point_parts(counts) if "rows" in counts.arrays else None,
}
