"""SC-CLIP (Bai et al., 2024, arXiv 2411.15869): self-calibrated CLIP."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gem.methods.calibration import Calibration, Reading
from gem.options import Fraction, PositiveInt, options

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
    from torch import Tensor

    from gem.trace import Heads, Trace


@options
class ScClip(Calibration):
    """`Calibration` with outliers by their density, as the released code has it.

    Wrong are the patches of F_11 whose local outlier factor is above the ``quantile`` of the image.
    The last block reads by the mean of softmax(k k^T / sqrt(d)) and softmax(scale (M - mean M)),
    negative entries left out, in the repaired stream and in the sum of levels.

    neighbours: k of the local outlier factor; an image or window needs more patches than that.
    """

    title: ClassVar[str] = "SC-CLIP"
    published: ClassVar[str] = "2024-11"

    neighbours: PositiveInt = 30
    quantile: Fraction = 0.95

    def outliers(self, trace: Trace) -> Bool[Tensor, "b p"]:
        """The densest of the image are right, a twentieth is wrong."""
        from gem.similarity import outlier_factors

        factors = outlier_factors(trace.layers[-1].resid[:, 1:], self.neighbours)
        return factors > factors.quantile(self.quantile, dim=1, keepdim=True)

    def shares(self, alike: Float[Tensor, "b p p"]) -> Float[Tensor, "b p p"]:
        """Sharpened as they are."""
        from gem.similarity import sharpened

        return sharpened(alike, scale=self.scale)

    def repaired_heads(self, found: Reading) -> Heads:
        """Half by keys, half by likeness."""
        return (found.own(found.layer.k) + found.alike()) * 0.5

    def level_heads(self, found: Reading) -> Heads:
        """As in the repaired stream."""
        return self.repaired_heads(found)
