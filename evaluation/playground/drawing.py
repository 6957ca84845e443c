"""Heat maps and label maps as pictures, and pictures as text that a page can show.

Shapes: w words, y x pixels.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gem.overlay import Scale, common_scale, overlay

if TYPE_CHECKING:
    from jaxtyping import Float, Integer

COVER = 0.6  # how much of the picture a label covers
QUALITY = 90  # of JPEG


@dataclass(frozen=True)
class Drawn:
    """What one method finds, as addresses of pictures (``data:image/...``).

    scale: one for all words of the method: what is not in the picture stays darker than what is.
    """

    heats: tuple[str, ...]
    labels: str
    scale: Scale


def drawn(
    shown: Image.Image, scores: Float[np.ndarray, "w y x"], labels: Integer[np.ndarray, "y x"]
) -> Drawn:
    """Heat maps of all words on one scale, and the label map."""
    scale = common_scale(scores)
    heats = tuple(address(overlay(shown, scale.strength(one))) for one in scores)
    return Drawn(heats, address(labelled(shown, labels)), scale)


def labelled(image: Image.Image, labels: Integer[np.ndarray, "y x"]) -> Image.Image:
    """The image with the colour of its word over every pixel that has one."""
    pixels = np.asarray(image) / 255
    cover = COVER * (labels > 0)[..., None]
    mixed = (1 - cover) * pixels + cover * colours()[labels]
    return Image.fromarray((255 * mixed).round().astype(np.uint8))


def hexadecimal(place: int) -> str:
    """The colour of a word by its place, as ``#1f77b4``."""
    return "#" + "".join(f"{round(255 * one):02x}" for one in colours()[place + 1])


@cache
def colours() -> Float[np.ndarray, "256 3"]:
    """Those of label maps everywhere; the first is that of no word."""
    from evaluation.pictures.palette import palette  # late: it waits for matplotlib

    return palette(background=True)


def address(image: Image.Image) -> str:
    """A picture as the text of its own address: nothing is written, nothing fetched."""
    written = BytesIO()
    image.save(written, format="JPEG", quality=QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{b64encode(written.getvalue()).decode()}"
