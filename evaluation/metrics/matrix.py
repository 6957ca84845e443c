"""mIoU over a data set, from one integer confusion matrix.

Shapes: k labels, m = k or k + 1 columns, y x pixels, n cells.
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
    prediction: Integer[Tensor, "*yx"],
    truth: Integer[Tensor, "*yx"],
    *,
    labels: int,
    void: int,
    unpredicted: bool = False,
) -> Int64[Tensor, "k m"]:
    """Counts of pixels, truth in rows and prediction in columns; void pixels are left out.

    Both hold labels 0 to ``labels`` - 1, truth also ``void``. With ``unpredicted`` the prediction
    may hold ``void`` too, which is counted in one more column: such pixels are found by no class.
    """
    # torchmetrics' multiclass_confusion_matrix gives the same counts, but gathers the valid pixels
    # first: ten times slower on a CPU. Under deterministic algorithms it compares every pixel with
    # every one of the k * k cells in memory.
    valid, columns = truth != void, labels + int(unpredicted)
    if unpredicted:
        prediction = torch.where(prediction == void, labels, prediction)
    pairs = torch.where(valid, truth.long() * columns + prediction, labels * columns)
    return tally(pairs, labels * columns + 1)[:-1].reshape(labels, columns)


def scores(matrix: Int64[Tensor, "k m"]) -> Scores:
    """IoU per class, their mean, and the share of pixels that are right.

    A column behind those of the classes holds pixels without a prediction.
    """
    counts = matrix.double()
    hits = counts.diagonal()
    union = counts.sum(dim=0)[: len(counts)] + counts.sum(dim=1) - hits
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

    def __init__(self, *, labels: int, void: int = 255, unpredicted: bool = False) -> None:
        super().__init__(labels, labels + int(unpredicted))
        self.labels, self.void, self.unpredicted = labels, void, unpredicted

    def update(self, prediction: Integer[Tensor, "*yx"], truth: Integer[Tensor, "*yx"]) -> None:
        """Add one image."""
        self.counts += confusion(
            prediction,
            truth,
            labels=self.labels,
            void=self.void,
            unpredicted=self.unpredicted,
        )

    def compute(self) -> Int64[Tensor, "k m"]:
        """The matrix."""
        return self.counts
