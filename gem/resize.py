"""Resize rules: which size an image gets before it meets the tower.

Sizes are (height, width) in pixels. Whatever the rule, both sides end on a multiple of the patch:
the side is rounded to the nearest one, and the whole image is resized to it. Cropping or padding
would hide pixels from the model or show it a border that is not there, and a window of whole
patches is what maps back to the mask without a shift; the price is a change of the aspect ratio
by less than half a patch a side (at 448 and patch 16: under 2 %).
"""

from __future__ import annotations

from typing import Protocol

from pydantic import model_validator

from gem.options import Pixels, options


class Resize(Protocol):
    """A rule from the size of an image to the size that the model sees."""

    def fit(self, height: int, width: int, patch_size: int) -> tuple[int, int]:
        """Height and width, positive multiples of ``patch_size``."""


@options
class ShortSide:
    """The shorter side becomes ``size``, the aspect ratio is kept (GEM Sec. 4.1; GroupViT).

    The longer side is capped at ``cap``, which then sets the scale: the (2048, S) of mmseg. No
    image of Pascal VOC or ADE20K reaches it at 448; it bounds the memory of a panorama. An image so
    narrow that its shorter side would have no patch at all gets one row of them: 1 x 100000 pixels
    become 16 x 2048, and the aspect ratio is lost.
    """

    size: Pixels = 448
    cap: Pixels = 2048

    @model_validator(mode="after")
    def _reachable(self) -> ShortSide:
        if self.size > self.cap:  # every image would silently be smaller than was asked
            raise ValueError(
                f"a shorter side of {self.size} is above the cap of {self.cap} for the longer one"
            )
        return self

    def fit(self, height: int, width: int, patch_size: int) -> tuple[int, int]:
        """Scale both sides alike, then round each to a multiple of the patch."""
        scale = min(self.size / min(height, width), self.cap / max(height, width))
        return _multiple(height * scale, patch_size), _multiple(width * scale, patch_size)


@options
class Square:
    """Both sides become ``size``; the aspect ratio is lost (the released code of GEM)."""

    size: Pixels = 448

    def fit(self, height: int, width: int, patch_size: int) -> tuple[int, int]:  # noqa: ARG002
        """The same for every image."""
        side = _multiple(self.size, patch_size)
        return side, side


def _multiple(side: float, patch_size: int) -> int:
    """The nearest positive multiple of the patch, halves upwards."""
    return max(1, int(side / patch_size + 0.5)) * patch_size
