"""A picture that words are asked about. It comes as bytes, and no file is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from gem.pixels import TURNS, orientation, read_image

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.patches import Patches
    from gem.resize import Resize

SHOWN = 360
"""Pixels of the longer side of what is shown; smaller pictures are enlarged."""
LARGEST = 50_000_000
"""Bytes of a file that is taken."""
SCENE = 512
"""Pixels of the side of a drawn scene."""
ABSENT = 2
"""Words that are asked of a drawn scene and are not in it."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it is shown, and as the model sees it; the file itself is not kept.

    size: width and height as it came, in pixels, turned as people see it.
    """

    name: str
    size: tuple[int, int]
    shown: Image.Image
    pixels: Float[Tensor, "3 y x"]


def read_picture(content: bytes, name: str) -> Image.Image:
    """The content of an image file as RGB, turned as its EXIF orientation says.

    Raises ValueError, naming the file, if it is none or too large.
    """
    if len(content) > LARGEST:
        raise ValueError(
            f"{name} has {len(content) / 1e6:.0f} MB, expected {LARGEST / 1e6:.0f} at most"
        )
    if not content:
        raise ValueError(f"{name} is empty, expected an image")
    stored = read_image(BytesIO(content), name)
    turn = TURNS.get(orientation(stored))
    return stored if turn is None else stored.transpose(turn)


def prepared(image: Image.Image, name: str, *, segmenter: Patches, resize: Resize) -> Picture:
    """An image as the page keeps it."""
    pixels = segmenter.prepare(image, resize=resize)
    factor = SHOWN / max(image.size)
    width, height = (max(1, round(side * factor)) for side in image.size)
    shown = image.resize((width, height), Image.Resampling.LANCZOS)
    return Picture(name, image.size, shown, pixels)


def drawn_scene(seed: int) -> tuple[Image.Image, tuple[str, ...]]:
    """A scene that the embedded model was not trained on; its words, and some not in it."""
    from evaluation.data.toy.scenes import KINDS, draw_scene

    scene = draw_scene(seed, size=SCENE)
    absent = [kind for kind in KINDS if kind not in scene.kinds][:ABSENT]
    return Image.fromarray(scene.image), (*scene.kinds, *absent)
