"""Textured backgrounds of drawn scenes."""

import numpy as np
from PIL import Image

from evaluation.data.outlines import Colour

BACKDROPS: tuple[str, ...] = (
    "plain", "gradient", "striped", "checked", "dotted", "cloudy", "wavy", "speckled",
)  # fmt: skip
"""The kinds of background, as the adjectives that captions use."""


def smooth_noise(rng: np.random.Generator, cells: int, size: int) -> np.ndarray:
    """Noise in about -1..1 with bumps 1/`cells` of the picture wide, [size, size]."""
    coarse = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))


def _pattern(rng: np.random.Generator, name: str, size: int) -> np.ndarray:
    """How much of the second colour each pixel has, 0..1, [size, size]."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    angle, pitch = float(rng.uniform(0, np.pi)), float(rng.uniform(4, 11))
    along = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
    across = np.cos(angle) * axis[:, None] - np.sin(angle) * axis[None, :]
    if name == "striped":
        return np.floor(along * pitch) % 2
    if name == "checked":
        return (np.floor(along * pitch) + np.floor(across * pitch)) % 2
    if name == "dotted":
        return np.hypot(along * pitch % 1 - 0.5, across * pitch % 1 - 0.5) < 0.28
    if name == "wavy":
        return 0.5 + 0.5 * np.sin(2 * np.pi * (pitch * 0.6 * along + 0.25 * np.sin(9 * across)))
    if name == "gradient":
        return (along - along.min()) / (along.max() - along.min())
    if name == "cloudy":
        return np.clip(0.5 + 0.7 * smooth_noise(rng, 6, size), 0, 1)
    if name == "speckled":
        return np.clip(0.5 + 0.6 * smooth_noise(rng, 48, size), 0, 1)
    return np.zeros((size, size), dtype=np.float32)


def draw_backdrop(
    rng: np.random.Generator, name: str, *, colours: tuple[Colour, Colour], size: int
) -> Image.Image:
    """A `size` x `size` RGB picture of one of `BACKDROPS` between two colours.

    The contrast varies and is never full, so that objects stay the plainest thing in sight.
    """
    share = _pattern(rng, name, size) * np.float32(255 * rng.uniform(0.25, 0.75))
    first, second = (Image.new("RGB", (size, size), colour) for colour in colours)
    # Pillow blends in 8 bits, several times faster than numpy in float.
    return Image.composite(second, first, Image.fromarray(share.astype(np.uint8)))
