"""Sliding windows: an image seen piece by piece, as most of the field evaluates.

Sizes and places are in pixels of the resized image.
"""

from __future__ import annotations

from pydantic import model_validator

from gem.options import PositiveInt, options


@options
class Windows:
    """Square windows of ``size``, a ``stride`` apart (mmseg's slide inference; SCLIP, ClearCLIP).

    The last window of a row or column is moved back to the border, so that every window is whole;
    an image smaller than the window is one smaller window. Where windows overlap, the mean of
    their maps counts. Both are rounded to the patch by whoever uses them.
    """

    size: PositiveInt
    stride: PositiveInt

    @model_validator(mode="after")
    def _without_gaps(self) -> Windows:
        if self.stride > self.size:
            raise ValueError(
                f"a stride of {self.stride} leaves gaps between windows of {self.size}"
            )
        return self

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
