"""Textured backgrounds of drawn scenes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluation.data.toy.outlines import Colour

Grid = NDArray[Any]


def smooth_noise(rng: np.random.Generator, cells: int, size: int) -> Grid:
    """Noise in about -1..1 with bumps 1/`cells` of the picture wide, float32 [size, size]."""
    coarse = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))


class _Field:
    """What a pattern is made of: two turned axes in parts of the picture, and their pitch."""

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        axis = (np.arange(size, dtype=np.float32) + 0.5) / size
        angle, self.pitch = float(rng.uniform(0, np.pi)), float(rng.uniform(4, 11))
        self.along: Grid = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
        self.across: Grid = np.cos(angle) * axis[:, None] - np.sin(angle) * axis[None, :]
        self._rng, self._size = rng, size

    def noise(self, cells: int) -> Grid:
        return smooth_noise(self._rng, cells, self._size)

    def from_dots(self) -> Grid:
        """Distance from the nearest dot's centre, in pitches."""
        return np.hypot(self.along * self.pitch % 1 - 0.5, self.across * self.pitch % 1 - 0.5)

    def bend(self) -> Grid:
        """The phase, in radians, that bends stripes into waves."""
        phase: Grid = 0.5 * np.pi * np.sin(9 * self.across)
        return phase


# How much of the second colour each pixel has, 0..1.
_PATTERNS: dict[str, Callable[[_Field], Grid]] = {
    "plain": lambda f: np.zeros_like(f.along),
    "gradient": lambda f: (f.along - f.along.min()) / (f.along.max() - f.along.min()),
    "striped": lambda f: np.floor(f.along * f.pitch) % 2,
    "checked": lambda f: (np.floor(f.along * f.pitch) + np.floor(f.across * f.pitch)) % 2,
    "dotted": lambda f: f.from_dots() < 0.28,
    "cloudy": lambda f: np.clip(0.5 + 0.7 * f.noise(6), 0, 1),
    "wavy": lambda f: 0.5 + 0.5 * np.sin(f.pitch * 1.2 * np.pi * f.along + f.bend()),
    "speckled": lambda f: np.clip(0.5 + 0.6 * f.noise(48), 0, 1),
}

BACKDROPS: tuple[str, ...] = tuple(_PATTERNS)
"""The kinds of background, as the adjectives that captions use."""


def draw_backdrop(
    rng: np.random.Generator, name: str, *, colours: tuple[Colour, Colour], size: int
) -> Image.Image:
    """A `size` x `size` RGB picture of one of `BACKDROPS` between two colours.

    The contrast varies and is never full, so that objects stay the plainest thing in sight.
    """
    share = _PATTERNS[name](_Field(rng, size)) * np.float32(255 * rng.uniform(0.25, 0.75))
    first, second = (Image.new("RGB", (size, size), colour) for colour in colours)
    # Pillow blends in 8 bits, several times faster than numpy in float.
    return Image.composite(second, first, Image.fromarray(share.astype(np.uint8)))
