"""Textured backgrounds of drawn scenes."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from evaluation.data.outlines import Colour


def smooth_noise(rng: np.random.Generator, cells: int, size: int) -> np.ndarray:
    """Noise in about -1..1 with bumps 1/`cells` of the picture wide, float32 [size, size]."""
    coarse = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))


class _Field:
    """What a pattern is made of: two turned axes in parts of the picture, and their pitch."""

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        axis = (np.arange(size, dtype=np.float32) + 0.5) / size
        angle, self.pitch = float(rng.uniform(0, np.pi)), float(rng.uniform(4, 11))
        self.along = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
        self.across = np.cos(angle) * axis[:, None] - np.sin(angle) * axis[None, :]
        self._rng, self._size = rng, size

    def noise(self, cells: int) -> np.ndarray:
        return smooth_noise(self._rng, cells, self._size)


def _plain(field: _Field) -> np.ndarray:
    return np.zeros_like(field.along)


def _gradient(field: _Field) -> np.ndarray:
    return (field.along - field.along.min()) / (field.along.max() - field.along.min())


def _striped(field: _Field) -> np.ndarray:
    return np.floor(field.along * field.pitch) % 2


def _checked(field: _Field) -> np.ndarray:
    return (np.floor(field.along * field.pitch) + np.floor(field.across * field.pitch)) % 2


def _dotted(field: _Field) -> np.ndarray:
    x, y = field.along * field.pitch % 1 - 0.5, field.across * field.pitch % 1 - 0.5
    return (np.hypot(x, y) < 0.28).astype(np.float32)


def _cloudy(field: _Field) -> np.ndarray:
    return np.clip(0.5 + 0.7 * field.noise(6), 0, 1)


def _wavy(field: _Field) -> np.ndarray:
    bend = field.pitch * 0.6 * field.along + 0.25 * np.sin(9 * field.across)
    return 0.5 + 0.5 * np.sin(2 * np.pi * bend)


def _speckled(field: _Field) -> np.ndarray:
    return np.clip(0.5 + 0.6 * field.noise(48), 0, 1)


_PATTERNS: dict[str, Callable[[_Field], np.ndarray]] = {
    "plain": _plain,
    "gradient": _gradient,
    "striped": _striped,
    "checked": _checked,
    "dotted": _dotted,
    "cloudy": _cloudy,
    "wavy": _wavy,
    "speckled": _speckled,
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
