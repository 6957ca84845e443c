"""Sliding windows: an image seen piece by piece, as most of the field evaluates.

Sizes and places are in pixels of the resized image.
"""

from __future__ import annotations

from pydantic import model_validator

from gem.options import Pixels, options


@options
class SlidingWindow:
    """Square windows of ``size``, a ``stride`` apart (mmseg's slide inference; SCLIP, ClearCLIP).

    The last window of a row or column is moved back to the border, so that every window is whole;
    an image smaller than the window is one smaller window. Where windows overlap, the mean of
    their maps counts.
    """

    size: Pixels
    stride: Pixels

    @model_validator(mode="after")
    def _without_gaps(self) -> SlidingWindow:
        if self.stride > self.size:
            raise ValueError(
                f"a stride of {self.stride} leaves gaps between windows of {self.size}"
            )
        return self

    def whole_patches(self, patch_size: int) -> SlidingWindow:
        """The same, with size and stride rounded down to whole patches, to one at least."""
        size, stride = (
            max(side // patch_size, 1) * patch_size for side in (self.size, self.stride)
        )
        return SlidingWindow(size=size, stride=stride)

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a window in an image of that size."""
        return min(self.size, height), min(self.size, width)

    def corners(self, height: int, width: int) -> tuple[tuple[int, int], ...]:
        """Top and left of each window, row by row."""
        tops, lefts = self._starts(height), self._starts(width)
        return tuple((top, left) for top in tops for left in lefts)

    def _starts(self, side: int) -> list[int]:
        free = max(side - self.size, 0)
        steps = -(-free // self.stride)
        return [min(step * self.stride, free) for step in range(steps + 1)]
