"""Labels laid over their image: colour where a class is, an outline around it.

Shapes: y x pixels of the truth, v u pixels of the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from evaluation.data import VOID

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Integer

ALPHA = 0.7  # how much of a class's colour covers the image
FADED = 0.55  # how much white covers what is no class
LINE = 2  # pixels of an outline
DARK = 0.6  # of an outline: its class's colour, darker


def cover(
    image: Image.Image,
    labels: Integer[np.ndarray, "y x"],
    colours: Float[np.ndarray, "256 3"],
    *,
    background: bool,
) -> Image.Image:
    """The image with its labels over it, at the image's size; labels are resized to it.

    What is void, or the background where there is one, is the image alone, faded. All of it is gray
    below: a colour is a class.
    """
    fine = sized(labels, image.size)
    nothing = (fine == VOID) | ((fine == 0) & background)
    pixels, colour = np.asarray(image.convert("L"))[..., None] / 255, colours[fine]
    mixed = np.where(
        nothing[..., None],
        pixels + FADED * (1 - pixels),
        pixels + ALPHA * (colour - pixels),
    )
    mixed[edges(fine) & ~nothing] = DARK * colour[edges(fine) & ~nothing]
    return Image.fromarray((255 * mixed).round().astype(np.uint8))


def outline(image: Image.Image, inside: Bool[np.ndarray, "y x"]) -> Image.Image:
    """The image with a white line, and a dark one around it, where an area ends."""
    fine = sized(inside.astype(np.uint8), image.size)
    pixels = np.asarray(image.convert("RGB")).copy()
    pixels[edges(fine, 2 * LINE)] = 30
    pixels[edges(fine)] = 255
    return Image.fromarray(pixels)


def sized(labels: Integer[np.ndarray, "y x"], size: tuple[int, int]) -> Integer[np.ndarray, "v u"]:
    """Labels at another (width, height): each pixel has that of the nearest."""
    fine = Image.fromarray(labels.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
    return np.asarray(fine)


def edges(labels: Integer[np.ndarray, "v u"], width: int = LINE) -> Bool[np.ndarray, "v u"]:
    """Pixels with another label less than about `width` pixels away, to their sides or below."""
    found = np.zeros(labels.shape, dtype=bool)
    for step in range(1, width // 2 + 1):
        down = labels[step:] != labels[:-step]
        across = labels[:, step:] != labels[:, :-step]
        found[step:] |= down
        found[:-step] |= down
        found[:, step:] |= across
        found[:, :-step] |= across
    return found
