"""MaskCLIP (Zhou et al., ECCV 2022, arXiv 2112.01071): the training-free one of that name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gem.methods.method import Method
from gem.options import options

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Trace


@options
class MaskClip(Method):
    """Values of the last block, through its output projection; no residual, no FFN.

    Sec. 3.2 of the paper replaces the last attention by the identity, so that a token is written
    from its own value. The variants in circulation differ in what surrounds it: the authors'
    code for transformers keeps the residual and the FFN (as do TCL, CLIP-DINOiser and LPOSS);
    this is the variant without either, which ClearCLIP's repository evaluates as MaskCLIP. Key
    smoothing and prompt denoising are left out.
    """

    title: ClassVar[str] = "MaskCLIP"
    published: ClassVar[str] = "2021-12"

    @property
    def num_blocks(self) -> int:
        """The last block, for its values."""
        return 1

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Project the written values of the last block."""
        last = trace.layers[-1]
        return trace.project(last.write(last.v))
