"""How well one word's heat map covers its object, without competition between classes.

Shapes: c classes, p of them that an image shows, u v rows and columns of a map, y x pixels.
"""

import torch
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor
from torchmetrics import Metric

from evaluation.metrics.confusion import tally
from gem.image import ROUNDING, upsample

# Pixels of upsampled maps that stand in memory at once: a few maps on a CPU, for its cache.
CACHED, LARGE = 2**20, 2**26


def overlaps(
    cosines: Float[Tensor, "c u v"], truth: Int[Tensor, "y x"], *, first: int, void: int
) -> Int64[Tensor, "c 2"]:
    """Intersection and union, in pixels, of each present class's map over 0.5 with its mask.

    Each map is upsampled to the truth and scaled to [0, 1] on its own. Class i has label i +
    ``first``. Classes that the truth does not show count nothing; void pixels are left out.
    """
    counts = torch.zeros(len(cosines), 2, dtype=torch.int64, device=cosines.device)
    valid, last = truth != void, len(cosines) + first
    areas = tally(torch.where(valid, truth.long(), last), last + 1)[first:last]
    present = areas.nonzero()[:, 0]  # of all that follows on a GPU, only this is waited for
    size = (truth.shape[0], truth.shape[1])
    step = max((LARGE if cosines.is_cuda else CACHED) // truth.numel(), 1)
    for start in range(0, len(present), step):
        some = present[start : start + step]
        seen = over_half(upsample(cosines[some], size)) & valid
        hits = (seen & (truth == (some + first)[:, None, None])).sum(dim=(1, 2))
        counts[some, 0] = hits
        counts[some, 1] = seen.sum(dim=(1, 2)) + areas[some] - hits
    return counts


def over_half(maps: Float[Tensor, "p y x"]) -> Bool[Tensor, "p y x"]:
    """Where `gem.image.min_max` of each map is over 0.5, without the division.

    (m - low) / span > 0.5 if and only if m - low > span / 2, in float32 too: half a span is exact,
    and the quotient of a larger number is so much larger that it is not rounded to 0.5.
    """
    low = maps.amin(dim=(1, 2), keepdim=True)
    span = maps.amax(dim=(1, 2), keepdim=True) - low
    return maps - low > torch.where(span > ROUNDING, span / 2, torch.inf)


class HeatmapIoU(Metric):  # type: ignore[misc]
    """`overlaps` summed over the images that show a class; IoU per class, then the mean."""

    full_state_update = False
    counts: Tensor

    def __init__(self, *, classes: int, first: int, void: int = 255) -> None:
        super().__init__()
        self.first, self.void = first, void
        zero = torch.zeros(classes, 2, dtype=torch.int64)
        self.add_state("counts", zero, dist_reduce_fx="sum")

    def update(self, cosines: Float[Tensor, "c u v"], truth: Int[Tensor, "y x"]) -> None:
        """Add one image."""
        self.counts += overlaps(cosines, truth, first=self.first, void=self.void)

    def compute(self) -> Float[Tensor, ""]:
        """Mean IoU over the classes that occurred, in [0, 1], float64; nan if none did."""
        return (self.counts[:, 0].double() / self.counts[:, 1].double()).nanmean()
