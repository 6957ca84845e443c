"""CLIP Surgery (Li et al., 2023, arXiv 2304.05653), architecture surgery."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gem.methods.gem import Gem
from gem.methods.method import Method
from gem.options import PositiveInt, options

if TYPE_CHECKING:
    from collections.abc import Hashable

    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Trace


@options
class ClipSurgery(Method):
    """v-v attention in a second path through the last blocks: one point of GEM's family.

    softmax(v v^T / sqrt(d)) v, written to the path with its residual and without the FFN; the
    published setting is the last 6 blocks (its code's ``range(1, 7)``). For segmentation its
    patches are compared with text by the plain cosine; "feature surgery", which subtracts what
    all prompts share, is for single heat maps and left out.
    """

    title: ClassVar[str] = "CLIP Surgery"
    published: ClassVar[str] = "2023-04"

    blocks: PositiveInt = 6

    @property
    def num_blocks(self) -> int:
        """The blocks that the path runs through."""
        return self.blocks

    @property
    def same(self) -> Gem:
        """GEM with v alone, no iteration, no normalisation, the model's own temperature."""
        return Gem(
            iters=0,
            temperature="standard",
            normalize=False,
            projections=("v",),
            blocks=self.blocks,
        )

    @property
    def cache_group(self) -> tuple[Hashable, ...]:
        """As `Gem.cache_group`."""
        return self.same.cache_group

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Walk GEM's path with these options."""
        return self.same(trace)
