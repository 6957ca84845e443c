"""Resize rules: which size an image gets before it meets the tower.

Sizes are (height, width) in pixels. By default both sides end on a multiple of the patch: the side
is rounded to the nearest one, and the whole image is resized to it. Cropping or padding would hide
pixels from the model or show it a border that is not there, and a window of whole patches is what
maps back to the mask without a shift; the price is a change of the aspect ratio by less than half a
patch a side (at 448 and patch 16: under 2 %). Code that builds on mmseg keeps the aspect ratio to
the pixel, and pads (`gem.windows.Padded`).
"""

from __future__ import annotations

import math
from typing import Literal, Protocol

from pydantic import model_validator

from gem.options import Pixels, options

Filter = Literal["pillow_bicubic", "opencv_bilinear"]
Rounding = Literal["round", "pad"]


class Resize(Protocol):
    """A rule from the size of an image to the size that the model sees."""

    @property
    def filter(self) -> Filter:
        """What computes the pixels."""

    @property
    def rounding(self) -> Rounding:
        """What is done with sides that are no multiple."""

    @property
    def multiple(self) -> int | None:
        """Pixels that sides are rounded or padded to a multiple of; None is the patch."""

    def fit(self, height: int, width: int, patch_size: int) -> tuple[int, int]:
        """Height and width, 1 at least; multiples of ``patch_size`` unless windows are padded."""


@options
class Sides:
    """What the rules have in common.

    filter: ``pillow_bicubic`` is antialiased (CLIP's own preprocessing, GEM's release);
        ``opencv_bilinear`` is not (mmseg, and with it SCLIP, ClearCLIP, NACLIP).
    rounding: ``round`` resizes to whole multiples; ``pad`` keeps the side to the pixel, as mmcv's
        rescale does, and each window is padded with zeros (`gem.windows.Padded`).
    multiple: what sides are rounded or padded to a multiple of, in pixels; null is the patch. When
        sides are rounded they become multiples of the patch too.
    """

    filter: Filter = "pillow_bicubic"
    rounding: Rounding = "round"
    multiple: Pixels | None = None

    def side(self, side: float, patch_size: int) -> int:
        """The nearest positive multiple, or the nearest pixel; halves upwards."""
        padded = self.rounding == "pad"
        step = 1 if padded else math.lcm(self.multiple or patch_size, patch_size)
        return max(1, int(side / step + 0.5)) * step


@options
class ShortSide(Sides):
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
        """Scale both sides alike, then round each to a multiple, or to a pixel."""
        scale = min(self.size / min(height, width), self.cap / max(height, width))
        return self.side(height * scale, patch_size), self.side(width * scale, patch_size)


@options
class Square(Sides):
    """Both sides become ``size``; the aspect ratio is lost (the released code of GEM)."""

    size: Pixels = 448

    def fit(self, height: int, width: int, patch_size: int) -> tuple[int, int]:  # noqa: ARG002
        """The same for every image."""
        side = self.side(self.size, patch_size)
        return side, side
