"""SCLIP (Wang et al., ECCV 2024, arXiv 2312.01597): correlative self-attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gem.methods.method import Method
from gem.methods.readout import SHARED, plain, surrounded
from gem.options import Flag, options

if TYPE_CHECKING:
    from collections.abc import Hashable

    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Trace


@options
class Sclip(Method):
    """The last block attends by [softmax(q q^T / sqrt(d)) + softmax(k k^T / sqrt(d))] (Sec. 3.2).

    The two are summed, not averaged: every row of the attention has the sum 2. The class token
    takes part. The rest of the block is as it was trained.

    residual, mlp: whether the block's residual and MLP are kept, as published. Without both it is
        a row of ClearCLIP's table.
    """

    title: ClassVar[str] = "SCLIP"
    published: ClassVar[str] = "2023-12"

    residual: Flag = True
    mlp: Flag = True

    @property
    def cache_group(self) -> tuple[Hashable, ...]:
        """q-q and k-k attention."""
        return SHARED

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Read the values of the last block twice."""
        last = trace.layers[-1]
        heads = last.attended("q", plain()) + last.attended("k", plain())
        stream = surrounded(last, last.write(heads), residual=self.residual, mlp=self.mlp)
        return trace.project(stream)
