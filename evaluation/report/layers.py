"""The layers of a prediction as data URIs: photograph, labels, outlines, heat.

Shapes: y x pixels of the truth, c classes, u v rows and columns of a map.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from evaluation.data import VOID
from evaluation.pictures.palette import palette, palette_bytes
from gem.overlay import ALPHA, COVER, colours, common_scale

if TYPE_CHECKING:
    from jaxtyping import Float, Integer

DRAWING, LARGEST = 200, 640  # pixels a side: of what is no photograph; of a photograph
HEAT, LEVELS = 32, 32  # pixels a side of a heat map, which a browser smooths; its colours
LINE = 1 / 130  # of a side: how thick outlines are


def data_uri(content: bytes, kind: str) -> str:
    """The content itself as an address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def photo_uri(image: Image.Image) -> str:
    """A drawing as PNG, a photograph as JPEG of at most `LARGEST` pixels a side."""
    shown = image.convert("RGB")
    if max(shown.size) <= DRAWING:
        return _png(shown)
    shown.thumbnail((LARGEST, LARGEST))
    stream = BytesIO()
    shown.save(stream, "JPEG", quality=85)
    return data_uri(stream.getvalue(), "image/jpeg")


def mask_uri(labels: Integer[np.ndarray, "y x"], *, background: bool) -> str:
    """Labels as a PNG with the palette of the figures; void and background are transparent.

    It has the colours of its own labels only: a page has hundreds of such pictures.
    """
    values, places = np.unique(labels.astype("uint8"), return_inverse=True)
    image = Image.fromarray(places.reshape(labels.shape).astype("uint8"))
    inks = np.frombuffer(palette_bytes(background=background), dtype="uint8").reshape(-1, 3)
    image.putpalette(inks[values].tobytes())
    hidden = (values == VOID) | ((values == 0) & background)
    return _png(image, transparency=np.where(hidden, 0, 255).astype("uint8").tobytes())


def colour_names(count: int, *, background: bool) -> list[str]:
    """The colours of the labels 0 to count-1 as CSS calls them."""
    colours = (255 * palette(background=background)[:count]).round().astype(int)
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours.tolist()]


def outline_uri(
    labels: Integer[np.ndarray, "y x"], *, background: bool, white: bool = False
) -> str:
    """The inner edges of all regions but the background, in their colours or in white."""
    edges = labels.astype("uint8")
    reach = max(1, round(LINE * max(edges.shape)))
    inner = np.ones(edges.shape, dtype=bool)
    for step in range(1, reach + 1):
        for axis in (0, 1):
            low = [slice(None)] * 2
            high = [slice(None)] * 2
            low[axis], high[axis] = slice(None, -step), slice(step, None)
            same = edges[tuple(low)] == edges[tuple(high)]
            inner[tuple(low)] &= same
            inner[tuple(high)] &= same
    edges = np.where(inner, VOID, edges).astype("uint8")
    if not white:
        return mask_uri(edges, background=background)
    shown = (edges != VOID) & ~((edges == 0) & background)
    image = Image.fromarray(shown.astype("uint8"))
    image.putpalette([0, 0, 0, 255, 255, 255])
    return _png(image, transparency=bytes([0, 255]))


def heat_uri(
    maps: Float[np.ndarray, "c u v"], classes: Sequence[int], image: Image.Image
) -> Iterator[str]:
    """The maps of some classes as heat over the image, on one scale for all classes.

    As `gem.overlay` draws them: nothing where a score is not above the median of all.
    """
    scale = common_scale(maps)
    factor = HEAT / max(image.size)
    width, height = (max(1, round(side * factor)) for side in image.size)
    steps = np.linspace(0, 1, LEVELS)
    inks = (255 * colours(steps)).round().astype("uint8").tobytes()
    cover = (255 * ALPHA * steps**COVER).round().astype("uint8").tobytes()
    for one in classes:
        strength = Image.fromarray(scale.strength(maps[one]).astype("float32"), mode="F")
        fine = np.asarray(strength.resize((width, height), Image.Resampling.BILINEAR)).clip(0, 1)
        found = Image.fromarray(((LEVELS - 1) * fine).round().astype("uint8"))
        found.putpalette(inks)
        yield _png(found, transparency=cover)


def _png(image: Image.Image, **options: bytes) -> str:
    stream = BytesIO()
    image.save(stream, "PNG", optimize=True, **options)
    return data_uri(stream.getvalue(), "image/png")
