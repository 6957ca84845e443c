"""What SAM sees of an image: a square, which the image fills or leaves a border of.

Places are (x, y) in pixels, where (0, 0) is the outer corner of the first one.

Shapes: y x pixels of the image, s side of the square, n prompts, k masks of each, r rows and
columns of a low-resolution map, d coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from gem.systems.imagenet import normalised, resized


@dataclass(frozen=True)
class Canvas:
    """A square of ``side`` pixels for an image of (height, width).

    SAM keeps the aspect ratio: the longer side fills the square, and the rest, on the right or at
    the bottom, is 0 after the normalisation. SAM 2 stretches the image to the whole square.
    """

    side: int
    image: tuple[int, int]
    stretched: bool

    @property
    def seen(self) -> tuple[int, int]:
        """Height and width of the image in the square."""
        if self.stretched:
            return self.side, self.side
        scale = self.side / max(self.image)
        height, width = (int(side * scale + 0.5) for side in self.image)
        return max(height, 1), max(width, 1)

    def draw(self, image: UInt8[Tensor, "3 y x"]) -> Float[Tensor, "1 3 s s"]:
        """The model's input."""
        height, width = self.seen
        border = (0, self.side - width, 0, self.side - height)
        return F.pad(normalised(resized(image, self.seen)), border)[None]

    def place(self, coordinates: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Points (x, y) or boxes (x, y, x, y) of the image, in pixels of the square."""
        (height, width), (rows, columns) = self.image, self.seen
        scale = torch.tensor([columns / width, rows / height], device=coordinates.device)
        return coordinates * scale.repeat(coordinates.shape[1] // 2)

    def at_image(self, maps: Float[Tensor, "n k r r"]) -> Float[Tensor, "n k y x"]:
        """Logits of masks of the square, at the size of the image: bilinear, without the border."""
        if not self.stretched:
            height, width = self.seen
            whole = F.interpolate(maps, (self.side, self.side), mode="bilinear")
            maps = whole[..., :height, :width]
        return F.interpolate(maps, self.image, mode="bilinear")
