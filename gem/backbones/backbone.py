"""What a backbone is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Trace


@dataclass(frozen=True)
class Provenance:
    """Where the numbers of a model come from; written into every record.

    ``source`` is a tag, a file name or "random, seed N"; ``sha256`` the hash of the weight file,
    None for random weights.
    """

    model: str
    source: str
    sha256: str | None

    @property
    def random(self) -> bool:
        """Whether the weights mean nothing: no score of such a model does."""
        return self.sha256 is None


class Backbone(Protocol):
    """A pair of towers, images and text, that share an embedding space of width e."""

    @property
    def patch(self) -> int:
        """Side of a square patch, in pixels."""

    @property
    def blocks(self) -> int:
        """Number of blocks of the image tower."""

    @property
    def mean(self) -> tuple[float, float, float]:
        """Channel means (RGB, of values in [0, 1]) that the image tower expects removed."""

    @property
    def std(self) -> tuple[float, float, float]:
        """Channel deviations that the image tower expects divided out."""

    @property
    def torch_device(self) -> torch.device:
        """Where the towers are; images go there."""

    @property
    def provenance(self) -> Provenance:
        """Model and weights."""

    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """One ordinary pass over normalised images; sides are multiples of the patch.

        The last ``keep`` blocks are kept, all if the tower has fewer.
        """

    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """Unit-length text embeddings. Raises ValueError for a prompt that does not fit."""

    def let_go(self) -> None:
        """Free the memory of the towers; they are loaded again when they are asked for."""
