"""MaskCLIP (Zhou et al., ECCV 2022, arXiv 2112.01071): the training-free one of that name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gem.methods.method import Method
from gem.methods.readout import surrounded
from gem.options import Flag, options

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Trace


@options
class MaskClip(Method):
    """Values of the last block, through its output projection; no residual, no FFN.

    Sec. 3.2 of the paper replaces the last attention by the identity, so that a token is written
    from its own value. The variants in circulation differ in what surrounds it: this is the one
    without residual and FFN, ClearCLIP's code by its default flags, in whose table it stands in the
    columns "+ClearCLIP" (61.4 on VOC20). The authors' code for transformers keeps both, as do TCL,
    CLIP-DINOiser and LPOSS; the row "MaskCLIP" of that table (74.9) is quoted from TCL's paper. Key
    smoothing and prompt denoising are left out.

    residual, mlp: keep the block's residual and its MLP.
    """

    title: ClassVar[str] = "MaskCLIP"
    published: ClassVar[str] = "2021-12"

    residual: Flag = False
    mlp: Flag = False

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Project the written values of the last block."""
        last = trace.layers[-1]
        update = last.write(last.v)
        return trace.project(surrounded(last, update, residual=self.residual, mlp=self.mlp))
