"""What a method is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Trace


class Method(Protocol):
    """A function from the trace of b images to features of their p patches.

    The features lie in the space of the text embeddings (width e) and are not normalised:
    whoever compares them with text divides by their norm.
    """

    @property
    def reads(self) -> int:
        """How many of the last blocks the method reads; the trace must keep that many."""

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Patch features."""
