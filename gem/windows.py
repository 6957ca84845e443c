"""Sliding windows: an image seen piece by piece, as most of the field evaluates.

Sizes and places are in pixels of the resized image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import model_validator

from gem.options import Pixels, options
from gem.resize import Resize


@dataclass(frozen=True)
class Tiles:
    """The windows of one input: all of one ``shape`` (height, width), at ``corners`` (top, left).

    padding: zeros that each window gets on its left, right, top and bottom. upsampled: whether a
    window's map counts pixel by pixel of the input; else the map of patches itself is the answer.
    """

    corners: tuple[tuple[int, int], ...]
    shape: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    upsampled: bool = True

    @property
    def seen(self) -> tuple[int, int]:
        """Height and width of what the tower gets: a window with its padding."""
        left, right, top, bottom = self.padding
        return self.shape[0] + top + bottom, self.shape[1] + left + right

    @property
    def inside(self) -> tuple[slice, slice]:
        """Rows and columns of the window in what the tower gets."""
        left, _, top, _ = self.padding
        return slice(top, top + self.shape[0]), slice(left, left + self.shape[1])


class Tiling(Protocol):
    """A rule from the size of an input to its windows."""

    def tiles(self, size: tuple[int, int], patch_size: int) -> Tiles:
        """The windows of an input of (height, width)."""


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

    def tiles(self, size: tuple[int, int], patch_size: int) -> Tiles:
        """Windows of whole patches, without padding."""
        whole = self.whole_patches(patch_size)
        return Tiles(whole.corners(*size), whole.shape(*size))

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


@dataclass(frozen=True)
class Padded:
    """Windows of exactly their size, padded with zeros to a ``multiple`` (ClearCLIP, ProxyCLIP).

    Half of the padding, rounded down, comes before the window, the rest behind it. Where the
    multiple is none of the patch, the tower does not see the last pixels, and its map is taken for
    the whole window: with a multiple of 1 this is what the code of SCLIP and NACLIP does. Without
    ``windows`` the whole image is one; without a multiple it is the patch. What is smaller than a
    patch is padded to one.
    """

    windows: SlidingWindow | None
    multiple: int | None

    def tiles(self, size: tuple[int, int], patch_size: int) -> Tiles:
        """Windows with the same padding each, since all have one shape."""
        windows = self.windows or SlidingWindow(size=max(size), stride=max(size))
        shape, multiple = windows.shape(*size), self.multiple or patch_size
        down, across = (max(-(-side // multiple) * multiple, patch_size) - side for side in shape)
        padding = (across // 2, across - across // 2, down // 2, down - down // 2)
        upsampled = self.windows is not None or any(padding)
        return Tiles(windows.corners(*size), shape, padding, upsampled=upsampled)


def tiling(resize: Resize, windows: SlidingWindow | None) -> Tiling | None:
    """How an input of that resize rule is seen; None is the whole image, patch by patch."""
    if resize.rounding == "pad":
        return Padded(windows, resize.multiple)
    return windows


def tiles_of(size: tuple[int, int], windows: Tiling | None, patch_size: int) -> Tiles:
    """The windows of an input; without a rule it is one, whose map of patches is the answer."""
    if windows is None:
        return Tiles(((0, 0),), size, upsampled=False)
    return windows.tiles(size, patch_size)
