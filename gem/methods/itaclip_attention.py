"""The attention of ITACLIP (Aydin et al., CVPR Workshops 2025, arXiv 2411.12044)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from gem.methods.method import Method
from gem.methods.readout import earliest, plain, surrounded
from gem.options import Flag, PositiveInt, options

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Trace


@options
class ItaclipAttention(Method):
    """Half SCLIP's attention of the last block, half its mean over middle blocks; no FFN (Sec. 3).

    x + W_o [(C_last / 2 + mean_j C_j / 2) v], where C is SCLIP's sum of softmax(q q^T / sqrt(d))
    and softmax(k k^T / sqrt(d)). It is the first of the paper's three parts: its images in several
    versions and its texts by a language model are not of the trace, so that its published numbers
    are not to be expected.

    layers: the middle blocks, counted from 1.
    residual, mlp: keep the last block's residual (published) and its MLP (not).
    """

    title: ClassVar[str] = "ITACLIP (attention)"
    published: ClassVar[str] = "2024-11"

    layers: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (7, 8, 10)
    residual: Flag = True
    mlp: Flag = False

    def reads(self, depth: int) -> int:
        """From the first of the middle blocks on."""
        return earliest(self.layers, depth, "method.layers")

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Read the last block's values by the attention of several blocks."""
        from torch.nn.functional import scaled_dot_product_attention as attend

        last = trace.layers[-1]
        heads = (last.attended("q", plain()) + last.attended("k", plain())) * 0.5
        for number in self.layers:
            layer = trace.block(number)
            for points in (layer.q, layer.k):
                heads += attend(points, points, last.v).mul_(0.5 / len(self.layers))
        update = last.write(heads)
        return trace.project(surrounded(last, update, residual=self.residual, mlp=self.mlp))
