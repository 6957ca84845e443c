"""What a trace asks of a tower: its blocks, and the way out of the stream.

Shapes: b images, n tokens (class token first, if there is one, then patches row by row), c width,
h heads, d head width, p patches, e embedding.
"""

from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

Projection = Literal["q", "k", "v"]
Resid = Float[Tensor, "b n c"]
Heads = Float[Tensor, "b h n d"]


@runtime_checkable
class Block(Protocol):
    """What a backbone says of one of its pre-norm transformer blocks."""

    def norm(self, resid: Resid) -> Resid:
        """The normalised tokens that the attention reads."""

    def head(self, normed: Resid, projection: Projection) -> Heads:
        """Queries, keys or values, split into heads."""

    def write(self, heads: Heads) -> Resid:
        """The attention's residual update: heads merged, output projection, layer scale."""

    def mlp(self, resid: Resid) -> Resid:
        """The residual update of the second half of the block, from the stream."""


@runtime_checkable
class PatchProjector(Protocol):
    """The tower's way from the stream to the space that it shares with text."""

    def __call__(self, resid: Resid) -> Float[Tensor, "b p e"]:
        """Final norm and projection of the patch tokens; the class token is dropped."""
