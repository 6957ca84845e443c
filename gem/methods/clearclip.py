"""ClearCLIP (Lan et al., ECCV 2024, arXiv 2407.12442): neither residual nor FFN."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import field_validator

from gem.methods.method import Method
from gem.methods.readout import SHARED, plain, surrounded
from gem.options import Flag, PositiveInt, options

if TYPE_CHECKING:
    from collections.abc import Hashable

    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Resid, Trace


@options
class ClearClip(Method):
    """softmax(q q^T / sqrt(d)) v of the last block, through its output projection, alone (Sec. 3).

    projections: which self-self attentions are averaged: q-q as published; k-k and v-v are the
        paper's ablation.
    last_blocks: how many last blocks are read: their readouts are summed, while the ordinary
        stream goes on from block to block. 1 as published.
    residual, mlp: keep the last block's residual or its MLP: what the paper removes.
    """

    title: ClassVar[str] = "ClearCLIP"
    published: ClassVar[str] = "2024-07"

    projections: tuple[Literal["q", "k", "v"], ...] = ("q",)
    last_blocks: PositiveInt = 1
    residual: Flag = False
    mlp: Flag = False

    @field_validator("projections")
    @classmethod
    def _some_and_distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("one or more of q, k, v, each at most once")
        return value

    @property
    def num_blocks(self) -> int:
        """The blocks whose readouts are summed."""
        return self.last_blocks

    @property
    def cache_group(self) -> tuple[Hashable, ...]:
        """q-q, k-k and v-v attention."""
        return SHARED

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Sum the readouts of the last blocks."""
        *earlier, last = trace.last(self.last_blocks)
        total: Resid = surrounded(
            last,
            last.update(self.projections, plain()),
            residual=self.residual,
            mlp=self.mlp,
        )
        for layer in earlier:
            total = total + layer.update(self.projections, plain())
        return trace.project(total)
