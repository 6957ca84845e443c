"""How well one word's heat map covers its object, without competition between classes.

Shapes: c classes, u v rows and columns of a map, y x pixels.
"""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor

from evaluation.metrics.counts import Counts
from gem.image import min_max, upsample


def overlaps(
    cosines: Float[Tensor, "c u v"], truth: Int[Tensor, "y x"], *, first: int, void: int
) -> Int64[Tensor, "c 2"]:
    """Intersection and union, in pixels, of each present class's map over 0.5 with its mask.

    Each map is upsampled to the truth and scaled to [0, 1] on its own. Class i has label i +
    ``first``. Classes that the truth does not show count nothing; void pixels are left out.
    """
    counts = torch.zeros(len(cosines), 2, dtype=torch.int64, device=cosines.device)
    valid = truth != void
    shown = torch.unique(truth[valid]).tolist()
    present = [label - first for label in shown if label >= first]
    size = (truth.shape[0], truth.shape[1])
    for index in present:
        heat = min_max(upsample(cosines[index : index + 1], size))[0]
        seen = (heat > 0.5) & valid
        mask = truth == index + first
        counts[index, 0] = (seen & mask).sum()
        counts[index, 1] = (seen | mask).sum()
    return counts


class HeatmapIoU(Counts):
    """`overlaps` summed over the images that show a class; IoU per class, then the mean."""

    def __init__(self, *, classes: int, first: int, void: int = 255) -> None:
        super().__init__(classes, 2)
        self.first, self.void = first, void

    def update(self, cosines: Float[Tensor, "c u v"], truth: Int[Tensor, "y x"]) -> None:
        """Add one image."""
        self.counts += overlaps(cosines, truth, first=self.first, void=self.void)

    def compute(self) -> Float[Tensor, ""]:
        """Mean IoU over the classes that occurred, in [0, 1], float64; nan if none did."""
        return (self.counts[:, 0].double() / self.counts[:, 1].double()).nanmean()
