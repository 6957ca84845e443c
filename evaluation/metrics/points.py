"""p-mIoU: intersection over union on annotated points, in every reading of the paper's sentence.

GEM (Sec. 4.1): "for each positive class" the map is scaled to [0, 1] and cut at 0.5, and the IoU
is taken "over the sets of positive and negative ground-truth points for all classes in the
respective image", after Benenson and Ferrari (2022). The sentence leaves three things open:

- aggregation. ``image``: the points of all classes of an image make one IoU, and the mean is over
  images; ``class``: the points of a class in the whole data set make one; ``pair``: those of one
  class in one image make one.
- side. ``fg``: the IoU of the yes-points, TP / (TP + FP + FN); ``both``: the mean of it and of the
  IoU of the no-points, TN / (TN + FP + FN).
- pairs of image and class that count. ``positive``: those with a yes-point; ``all``: those
  with any.

The headline, ``image fg positive``, is the sentence taken literally. An IoU of 0/0 (no point of
its side, and none predicted) is left out of every mean.

Shapes: n points, p pairs of an image and a class, g groups of pairs.
"""

from itertools import product

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from evaluation.metrics.matrix import tally
from evaluation.metrics.reading import AGGREGATIONS, PAIRS, SIDES, reading_name


def count_points(
    inside: Bool[Tensor, " n"],
    place: Int64[Tensor, " n"],
    positive: Bool[Tensor, " n"],
    classes: Int64[Tensor, " p"],
) -> Int64[Tensor, "p 5"]:
    """Rows [class, TP, FN, FP, TN] of the classes that have points in an image.

    ``place`` is the place of each point's class among ``classes``. ``inside`` says whether a point
    lies in the mask that is predicted for its class. TP and FN are the yes-points inside and
    outside, FP and TN the no-points.
    """
    kind = 2 * (~positive).long() + (~inside).long()
    counts = tally(4 * place + kind, 4 * len(classes)).reshape(-1, 4)
    return torch.cat([classes[:, None], counts], dim=1)


def readings(rows: Int64[Tensor, "p 6"]) -> dict[str, float]:
    """All twelve scores in [0, 1], float64, the headline first; nan where there are no pairs."""
    chosen = {"positive": rows[has_yes(rows)], "all": rows}
    return {
        reading_name(aggregation, side, pairs): float(
            iou(_sums(chosen[pairs], aggregation), side).nanmean()
        )
        for aggregation, pairs, side in product(AGGREGATIONS, PAIRS, SIDES)
    }


def has_yes(rows: Int64[Tensor, "p 6"]) -> Bool[Tensor, " p"]:
    """Which pairs have a yes-point."""
    return rows[:, 2] + rows[:, 3] > 0


def iou(counts: Int64[Tensor, "g 4"], side: str) -> Float64[Tensor, " g"]:
    """IoU of groups from [TP, FN, FP, TN]; nan where no side of them is defined."""
    hits, missed, false, rejected = counts.double().unbind(dim=1)
    foreground = hits / (hits + missed + false)
    if side == "fg":
        return foreground
    return torch.stack([foreground, rejected / (rejected + missed + false)]).nanmean(dim=0)


def class_sums(rows: Int64[Tensor, "p 6"]) -> Int64[Tensor, "g 5"]:
    """Rows [class, TP, FN, FP, TN] over the whole data set."""
    return torch.cat([torch.unique(rows[:, 1])[:, None], _sums(rows, "class")], dim=1)


def _sums(rows: Int64[Tensor, "p 6"], aggregation: str) -> Int64[Tensor, "g 4"]:
    if aggregation == "pair":
        return rows[:, 2:]
    groups, place = torch.unique(
        rows[:, ("image", "class").index(aggregation)], return_inverse=True
    )
    zero = torch.zeros(len(groups), 4, dtype=torch.int64, device=rows.device)
    return zero.index_add_(0, place, rows[:, 2:])


class PointCounts:
    """`count_points` of all images as rows [image, class, TP, FN, FP, TN], sorted.

    Neither the order of the images nor the process that counted them changes the rows.
    """

    def __init__(self) -> None:
        self.rows: list[Tensor] = []
        self.device = torch.device("cpu")

    def to(self, device: torch.device) -> "PointCounts":
        """Count there from now on."""
        self.rows, self.device = [block.to(device) for block in self.rows], device
        return self

    def reset(self) -> None:
        """Forget all that was counted."""
        self.rows = []

    def update(self, image: int, counts: Int64[Tensor, "p 5"]) -> None:
        """Add one image by its number, which no other image of the data set may have."""
        numbers = torch.full_like(counts[:, :1], image)
        self.rows.append(torch.cat([numbers, counts], dim=1))

    def compute(self) -> Int64[Tensor, "p 6"]:
        """The rows, by image and class."""
        rows = torch.cat([torch.zeros(0, 6, dtype=torch.int64, device=self.device), *self.rows])
        for column in (1, 0):
            rows = rows[rows[:, column].argsort(stable=True)]
        return rows
