"""What SC-CLIP and SFP have in common: patches repaired, read along what is alike, read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import field_validator

from gem.depth import reached
from gem.methods.method import Method
from gem.options import Factor, Fraction, PositiveInt, options

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
    from torch import Tensor

    from gem.trace import Heads, Layer, Trace


@dataclass(frozen=True)
class Reading:
    """A stream of patches as the last block would read it, and shares by how alike patches are."""

    layer: Layer
    shares: Float[Tensor, "b p p"]

    def alike(self) -> Heads:
        """The values of the patches that are alike, by the same shares in every head."""
        from gem.similarity import read

        return read(self.shares, self.layer.v)

    def own(self, points: Heads) -> Heads:
        """The values by self-self attention of queries or keys."""
        from torch.nn.functional import scaled_dot_product_attention

        return scaled_dot_product_attention(points, points, self.layer.v)


@options
class Calibration(Method):
    """The way that both walk, block 12 being the last: F_j is the output of block j.

    1. Some patches are wrong (each method says which); in F_11 and F_middle they become the mean
       of the right ones next to them.
    2. M is the cosine between patches of F_middle; F_11 is read along M (values below ``least``
       are left out, rows have the sum 1).
    3. The last block's maps read the result, without class token, residual and FFN; class_share of
       the class token is added. They read the sum of F_j over ``levels`` in the same way.
    4. Both together are read along the cosines of F_early.

    least: beta. scale: of the similarities before the softmax, gamma.
    middle, early: blocks, counted from 1. levels: the first and the last of those that are summed.
    """

    class_token: ClassVar[bool] = True

    least: Fraction = 0.4
    scale: Factor = 3.0
    class_share: Fraction = 0.3
    middle: PositiveInt = 9
    early: PositiveInt = 4
    levels: tuple[PositiveInt, PositiveInt] = (4, 10)

    @field_validator("levels")
    @classmethod
    def _in_order(cls, value: tuple[int, int]) -> tuple[int, int]:
        if value[0] > value[1]:
            raise ValueError("the first of the blocks, then the last")
        return value

    def reads(self, depth: int) -> int:
        """From the block after the earliest of the outputs on; two at least."""
        numbers = {"middle": self.middle, "early": self.early, "levels": self.levels[1]}
        for name, number in numbers.items():
            reached(number, depth, f"method.{name}")
        return max(depth - min(self.middle, self.early, self.levels[0]), 2)

    def outliers(self, trace: Trace) -> Bool[Tensor, "b p"]:
        """The patches that are wrong."""
        raise NotImplementedError

    def shares(self, alike: Float[Tensor, "b p p"]) -> Float[Tensor, "b p p"]:
        """The attention that the cosines M make."""
        raise NotImplementedError

    def repaired_heads(self, found: Reading) -> Heads:
        """What the last block reads in the repaired stream."""
        raise NotImplementedError

    def level_heads(self, found: Reading) -> Heads:
        """What it reads in the sum of levels."""
        raise NotImplementedError

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Walk the way and project its end."""
        import torch

        from gem.similarity import cosines, repaired, row_shares
        from gem.trace import Layer

        def along_early() -> Tensor:
            return row_shares(cosines(trace.output(self.early)[:, 1:]), self.least)

        def summed() -> Tensor:
            return torch.stack([trace.output(n) for n in self._levels]).sum(dim=0)

        last, wrong = trace.layers[-1], self.outliers(trace)
        dtype = last.resid.dtype
        alike = cosines(repaired(trace.output(self.middle)[:, 1:], wrong, trace.grid))
        patches = repaired(last.resid[:, 1:], wrong, trace.grid)
        shares = self.shares(alike)
        stream = (row_shares(alike, self.least) @ patches).to(dtype)
        levels = trace.once(("levels", self._levels), summed)
        first = self.repaired_heads(Reading(Layer(stream, last.block), shares))
        second = self.level_heads(Reading(Layer(levels[:, 1:], last.block), shares))
        token = self.class_share * (last.resid[:, :1] + levels[:, :1])
        written = last.write(first) + last.write(second) + token
        early = trace.once(("along", self.early, self.least), along_early)
        found = (early @ written.float()).to(dtype)
        return trace.project(torch.cat([last.resid[:, :1], found], dim=1))

    @property
    def _levels(self) -> range:
        return range(self.levels[0], self.levels[1] + 1)
