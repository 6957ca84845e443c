"""CLIP as it is (Radford et al., ICML 2021, arXiv 2103.00020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gem.methods.method import Method
from gem.options import options

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Trace


@options
class Clip(Method):
    """Patch tokens of the final stream, through the final norm and projection of the image tower.

    The baseline row "CLIP" of the paper's Tables 1 to 3.
    """

    title: ClassVar[str] = "CLIP"
    published: ClassVar[str] = "2021-03"

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Project the final stream."""
        return trace.project(trace.final)
