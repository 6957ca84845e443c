"""The same counts as metrics of torchmetrics, which merges those of several processes exactly.

For whoever splits the images of a data set among processes: integers are summed, rows of points
joined and sorted. One process needs none of it, and torchmetrics takes as long to import as torch.
"""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from evaluation.metrics.heatmap import HeatmapIoU
from evaluation.metrics.matrix import ConfusionMatrix
from evaluation.metrics.points import PointCounts


class MergedConfusionMatrix(Metric):  # type: ignore[misc]
    """`ConfusionMatrix` summed over processes."""

    full_state_update = False
    counts: Tensor

    def __init__(self, *, labels: int, void: int = 255) -> None:
        super().__init__()
        own = ConfusionMatrix(labels=labels, void=void)
        self.labels, self.void, self.unpredicted = own.labels, own.void, own.unpredicted
        self.add_state("counts", own.counts, dist_reduce_fx="sum")

    update, compute = ConfusionMatrix.update, ConfusionMatrix.compute


class MergedHeatmapIoU(Metric):  # type: ignore[misc]
    """`HeatmapIoU` summed over processes."""

    full_state_update = False
    counts: Tensor

    def __init__(self, *, classes: int, first: int, void: int = 255) -> None:
        super().__init__()
        own = HeatmapIoU(classes=classes, first=first, void=void)
        self.first, self.void = own.first, own.void
        self.add_state("counts", own.counts, dist_reduce_fx="sum")

    update, compute = HeatmapIoU.update, HeatmapIoU.compute


class MergedPointCounts(Metric):  # type: ignore[misc]
    """`PointCounts` joined over processes."""

    full_state_update = False
    rows: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("rows", [], dist_reduce_fx="cat")

    update = PointCounts.update

    def compute(self) -> Tensor:
        """The rows of all, by image and class; synchronised they are one tensor."""
        blocks = self.rows if isinstance(self.rows, list) else [self.rows]
        whole = PointCounts().to(self.device)
        whole.rows.extend(blocks)
        return whole.compute()

    def sync(self, *args: Any, **kwargs: Any) -> None:
        """As in torchmetrics; a process without images takes part with no rows."""
        if not len(self.rows):
            self.rows.append(torch.zeros(0, 6, dtype=torch.int64, device=self.device))
        super().sync(*args, **kwargs)
