"""How well one word's heat map covers its object, without competition between classes.

Shapes: c classes, p of them that an image shows, u v rows and columns of a map, y x pixels.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor

from evaluation.metrics.counts import Counts
from evaluation.metrics.matrix import tally
from gem.image import ROUNDING, upsample

# Pixels of upsampled maps that stand in memory at once: a few maps on a CPU, for its cache.
CACHED, LARGE = 2**20, 2**26


def overlaps(
    cosines: Float[Tensor, "c u v"],
    truth: Int[Tensor, "y x"],
    *,
    first: int,
    void: int,
    shown: Sequence[int] | None = None,
) -> Int64[Tensor, "c 2"]:
    """Intersection and union, in pixels, of each present class's map over 0.5 with its mask.

    Each map is upsampled to the truth and scaled to [0, 1] on its own. Class i has label i +
    ``first``. Classes that the truth does not show count nothing; void pixels are left out.
    ``shown`` are the labels of the truth, if they are known: to ask it waits for a GPU.
    """
    counts = torch.zeros(len(cosines), 2, dtype=torch.int64, device=cosines.device)
    valid, last = truth != void, len(cosines) + first
    areas = tally(torch.where(valid, truth.long(), last), last + 1)[first:last]
    if shown is None:
        present = areas.nonzero()[:, 0]
    else:
        inside = [label - first for label in shown if first <= label < last and label != void]
        present = torch.tensor(inside, dtype=torch.int64, device=cosines.device)
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


class HeatmapIoU(Counts):
    """`overlaps` summed over the images that show a class; IoU per class, then the mean."""

    def __init__(self, *, classes: int, first: int, void: int = 255) -> None:
        super().__init__(classes, 2)
        self.first, self.void = first, void

    def update(
        self,
        cosines: Float[Tensor, "c u v"],
        truth: Int[Tensor, "y x"],
        shown: Sequence[int] | None = None,
    ) -> None:
        """Add one image; ``shown`` are the labels of its truth, if they are known."""
        self.counts += overlaps(cosines, truth, first=self.first, void=self.void, shown=shown)

    def compute(self) -> Float[Tensor, ""]:
        """Mean IoU over the classes that occurred, in [0, 1], float64; nan if none did."""
        return (self.counts[:, 0].double() / self.counts[:, 1].double()).nanmean()
