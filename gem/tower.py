"""What an image tower says of itself, and a second one beside CLIP's: a companion.

Shapes: b images, y x pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from torch import Tensor

    from gem.provenance import Provenance
    from gem.trace import Trace


@dataclass(frozen=True)
class TowerShape:
    """What a model's config says of its image tower, known without building it.

    ``patch_size`` is the side of a square patch in pixels; ``embedding`` the width e of the space
    that images and text share, of a companion that of its features. ``class_token`` says whether
    one goes before the patches.
    """

    num_blocks: int
    patch_size: int
    embedding: int
    class_token: bool = True

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of whole patches nearest to (height, width), halves upwards; 1 or more.

        Where the sides are not multiples of the patch, the pixels are resized to this grid.
        """
        rows, columns = (
            max(1, (2 * side + self.patch_size) // (2 * self.patch_size)) for side in size
        )
        return rows, columns


class Companion(Protocol):
    """A second image tower whose trace of the same pixels a method reads beside CLIP's.

    It knows no text, and the width of its features is its own. Companions that are equal are one
    model: they can be compared and hashed, as all options can.
    """

    @property
    def shape(self) -> TowerShape:
        """Sizes of the tower: nothing is loaded.

        Raises ValueError or OSError for a model that is not known or not supported.
        """

    @property
    def mean(self) -> tuple[float, float, float]:
        """Channel means (RGB, of values in [0, 1]) that the tower expects removed."""

    @property
    def std(self) -> tuple[float, float, float]:
        """Channel deviations that the tower expects divided out."""

    @property
    def torch_device(self) -> torch.device:
        """Where the tower is; images go there."""

    @property
    def provenance(self) -> Provenance:
        """Model and weights; reads the weights' file, but loads no model."""

    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """One ordinary pass over images, normalised by its own mean and std.

        Sides are multiples of the patch. The last ``keep`` blocks are kept, all if the tower has
        fewer; ``project`` is the final norm.
        """

    def unload(self) -> None:
        """Free the memory of the tower; it is loaded again when it is needed."""
