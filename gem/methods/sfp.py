"""SFP (ICCV 2025): feature purification, outliers by the attention that the class token pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gem.methods.calibration import Calibration, Reading
from gem.options import Factor, PositiveInt, options

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
    from torch import Tensor

    from gem.trace import Heads, Trace


@options
class Sfp(Calibration):
    """`Calibration` with three differences to SC-CLIP, as the released code has them.

    Wrong are at most ``count`` patches: those that the class token attends to most in the block
    before the last (mean over heads, times ``weight``), among the patches where that exceeds the
    patch's attention to itself. The last block reads the repaired stream by the mean of q-q, k-k
    and softmax(scale (M' - mean M')), where M' is M with 0 below ``least``; and the sum of levels
    by the last of the three alone.
    """

    title: ClassVar[str] = "SFP"
    published: ClassVar[str] = "2025-10"

    count: PositiveInt = 10
    weight: Factor = 1.5

    def outliers(self, trace: Trace) -> Bool[Tensor, "b p"]:
        """The patches that draw the class token's attention to themselves."""
        import torch

        before = trace.layers[-2]
        seen, itself = _attention(before.q, before.k)
        seen = self.weight * seen
        seen = seen.masked_fill(seen <= itself, -torch.inf)
        place = seen.topk(min(self.count, seen.shape[1]), dim=1).indices
        highest = torch.zeros_like(seen, dtype=torch.bool).scatter_(1, place, True)
        return highest & seen.isfinite()

    def shares(self, alike: Float[Tensor, "b p p"]) -> Float[Tensor, "b p p"]:
        """Sharpened after what is below the least is gone."""
        from gem.similarity import above, sharpened

        return sharpened(above(alike, self.least), scale=self.scale)

    def repaired_heads(self, found: Reading) -> Heads:
        """A third each by keys, queries and likeness."""
        own = found.own(found.layer.k) + found.own(found.layer.q)
        return (own + found.alike()) / 3

    def level_heads(self, found: Reading) -> Heads:
        """By likeness alone."""
        return found.alike()


def _attention(q: Heads, k: Heads) -> tuple[Float[Tensor, "b p"], Float[Tensor, "b p"]]:
    """What the class token pays to each patch and each patch to itself: means over the heads.

    One head at a time, so that few weights stand in memory.
    """
    import torch

    heads, scale = q.shape[1], q.shape[-1] ** -0.5
    seen = torch.zeros(len(q), q.shape[2] - 1, device=q.device)
    itself = torch.zeros_like(seen)
    for head in range(heads):
        logits = (q[:, head].float() @ k[:, head].float().mT).mul_(scale)
        weights = logits.softmax(dim=-1)
        seen += weights[:, 0, 1:] / heads
        itself += weights.diagonal(dim1=1, dim2=2)[:, 1:] / heads
    return seen, itself
