"""ResCLIP (Yang et al., CVPR 2025, arXiv 2411.15851): residual cross-correlation self-attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gem.methods.method import Method
from gem.methods.naclip import Naclip
from gem.methods.readout import earliest, plain, surrounded
from gem.options import Factor, Flag, Fraction, PositiveInt, options

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Heads, Layer, Trace


@options
class ResClip(Method):
    """RCS: the last block's attention A becomes factor [(1 - share) A + share R] (Sec. 3.2).

    R is the mean of the ordinary softmax(q k^T / sqrt(d)) of the middle blocks ``layers``, head by
    head; A is that of ``base``. Reading values is linear in the attention, so that no attention is
    ever held: R v is the mean of what the middle blocks' queries and keys read from v. The second
    half of the paper, SFR, needs a first prediction and is left out; in its Table 5 RCS has 85.5 of
    the 86.0 on VOC20.

    share, factor: lambda and tau of the paper, which its code sets by data set, as
        ``experiment=resclip`` does; 0.3 and 2 are its values for three of eight. Without residual
        the factor changes the weight of the output projection's bias alone.
    layers: the middle blocks, counted from 1: 6 to 9 of the 12 of ViT-B.
    base: whose attention the last block has: NACLIP's (the paper's headline), SCLIP's or
        ClearCLIP's.
    residual, mlp: keep the last block's residual and MLP.
    """

    title: ClassVar[str] = "ResCLIP (RCS)"
    published: ClassVar[str] = "2024-11"

    share: Fraction = 0.3
    factor: Factor = 2.0
    layers: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (6, 7, 8, 9)
    base: Literal["naclip", "sclip", "clearclip"] = "naclip"
    residual: Flag = False
    mlp: Flag = False

    def reads(self, depth: int) -> int:
        """From the first of the middle blocks on."""
        return earliest(self.layers, depth, "method.layers")

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Mix what the last block reads with what the middle blocks do."""
        from torch.nn.functional import scaled_dot_product_attention

        last = trace.layers[-1]
        middle = [trace.block(number) for number in self.layers]
        crossed = [scaled_dot_product_attention(one.q, one.k, last.v) for one in middle]
        mixed = (1 - self.share) * self._own(last, trace.grid)
        for one in crossed:
            mixed += one.mul_(self.share / len(crossed))
        update = last.write(mixed.mul_(self.factor))
        return trace.project(surrounded(last, update, residual=self.residual, mlp=self.mlp))

    def _own(self, last: Layer, grid: tuple[int, int]) -> Heads:
        if self.base == "naclip":
            return Naclip().heads(last, grid)
        if self.base == "clearclip":
            return last.attended("q", plain())
        return last.attended("q", plain()) + last.attended("k", plain())
