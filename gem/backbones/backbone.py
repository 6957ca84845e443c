"""What a backbone is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from gem.tower import TowerShape

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from torch import Tensor

    from gem.provenance import Provenance
    from gem.trace import Trace


__all__ = ["Backbone", "TowerShape"]


class Backbone(Protocol):
    """A pair of towers, images and text, that share an embedding space of width e."""

    @property
    def shape(self) -> TowerShape:
        """Sizes of the image tower, from the model's config: nothing is built or loaded.

        Raises ValueError or OSError for a model that is not known or not supported.
        """

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
        """Model and weights; reads the weights' file, but builds no model."""

    @property
    def text_key(self) -> tuple[str | bool | int | None, ...] | None:
        """What `embed` depends on besides the prompts; None if its numbers are not worth keeping.

        Plain data, so that it can be hashed from one run to the next. None for random weights.
        """

    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """One ordinary pass over normalised images; sides are multiples of the patch.

        The last ``keep`` blocks are kept, all if the tower has fewer.
        """

    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """Unit-length text embeddings. Raises ValueError for a prompt that does not fit."""

    def unload(self) -> None:
        """Free the memory of the towers; they are loaded again when they are needed."""
