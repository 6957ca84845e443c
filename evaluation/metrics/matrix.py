"""mIoU over a data set, from one integer confusion matrix.

Shapes: k labels, y x pixels, n cells.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int64, Integer
from torch import Tensor

from evaluation.metrics.counts import Counts


@dataclass(frozen=True)
class Scores:
    """What a confusion matrix says, in float64. Classes absent from truth and prediction: None.

    ``miou`` is the mean over the classes that occur in either, in [0, 1]; nan if none does.
    """

    miou: float
    iou: tuple[float | None, ...]
    pixel_accuracy: float


def tally(values: Int64[Tensor, "*yx"], cells: int) -> Int64[Tensor, " n"]:
    """How often each of 0 to ``cells`` - 1 occurs: `torch.bincount`, which would wait for a GPU."""
    one = torch.ones((), dtype=torch.int64, device=values.device)
    found = torch.zeros(cells, dtype=torch.int64, device=values.device)
    return found.index_add_(0, values.flatten(), one.expand(values.numel()))


def confusion(
    prediction: Integer[Tensor, "*yx"], truth: Integer[Tensor, "*yx"], *, labels: int, void: int
) -> Int64[Tensor, "k k"]:
    """Counts of pixels, truth in rows and prediction in columns; void pixels are left out.

    Both hold labels 0 to ``labels`` - 1, truth also ``void``.
    """
    # torchmetrics' multiclass_confusion_matrix gives the same counts, but gathers the valid pixels
    # first: ten times slower on a CPU. Under deterministic algorithms it compares every pixel with
    # every one of the k * k cells in memory.
    valid = truth != void
    pairs = torch.where(valid, truth.long() * labels + prediction, labels * labels)
    return tally(pairs, labels * labels + 1)[:-1].reshape(labels, labels)


def scores(matrix: Int64[Tensor, "k k"]) -> Scores:
    """IoU per class, their mean, and the share of pixels that are right."""
    counts = matrix.double()
    hits = counts.diagonal()
    union = counts.sum(dim=0) + counts.sum(dim=1) - hits
    iou = hits / union  # nan where a class is absent from both
    return Scores(
        miou=float(iou.nanmean()),
        iou=tuple(None if value != value else value for value in iou.tolist()),  # noqa: PLR0124
        pixel_accuracy=float(hits.sum() / counts.sum()),
    )


class ConfusionMatrix(Counts):
    """`confusion` summed over images.

    Not `torchmetrics.segmentation.MeanIoU`, which averages the IoU of single images.
    """

    def __init__(self, *, labels: int, void: int = 255) -> None:
        super().__init__(labels, labels)
        self.labels, self.void = labels, void

    def update(self, prediction: Integer[Tensor, "*yx"], truth: Integer[Tensor, "*yx"]) -> None:
        """Add one image."""
        self.counts += confusion(prediction, truth, labels=self.labels, void=self.void)

    def compute(self) -> Int64[Tensor, "k k"]:
        """The matrix."""
        return self.counts
