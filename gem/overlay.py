"""Heat maps over images, as pictures.

Shapes: y x pixels, w prompts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gem.given import as_image

if TYPE_CHECKING:
    from jaxtyping import Float

    from gem.given import Picture

    Maps = Float[np.ndarray, "w y x"]

ANCHORS = (
    "000004", "140b34", "390963", "5f136e", "85216b", "a92e5e",
    "cb4149", "e65d2f", "f78410", "fcae12", "f5db4c", "fcffa4",
)  # fmt: skip
"""matplotlib's inferno at equal steps: as much lighter with every step, also without colour."""
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
CELL, GAP, WIDEST = 320, 14, 4  # pixels of an image's longer side, between two; cells of a row
TEXT, SMALL = 20, 14
ALPHA = 0.85
COVER = 0.75  # below 1: weak values cover a little more than their share
INK, PALE, PAPER = (25, 25, 25), (110, 110, 110), (255, 255, 255)


@dataclass(frozen=True)
class Scale:
    """Which scores are drawn: nothing at ``low`` and below, the lightest colour at ``high``."""

    low: float
    high: float

    def strength(self, maps: np.ndarray) -> np.ndarray:
        """Scores as shares of the scale, in [0, 1]; 0 if the scale has no width."""
        span = self.high - self.low
        if span <= 0:
            return np.zeros_like(maps, dtype=np.float64)
        found: np.ndarray = ((maps - self.low) / span).clip(0, 1)
        return found


def common_scale(maps: Maps) -> Scale:
    """One scale for all prompts: from the median of all scores to the highest of all.

    A prompt that is not in the image then stays darker than one that is. Of a single prompt nothing
    can be said: its highest score is the lightest, whatever it is.
    """
    return Scale(float(np.median(maps)), float(maps.max()))


def colours(strength: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n 3"]:
    """The colour of values in [0, 1], each channel in [0, 1]."""
    anchors = np.array([[int(one[i : i + 2], 16) for i in (0, 2, 4)] for one in ANCHORS]) / 255
    places = np.linspace(0, 1, len(ANCHORS))
    return np.stack([np.interp(strength, places, channel) for channel in anchors.T], axis=-1)


def overlay(
    image: Image.Image, strength: Float[np.ndarray, "y x"], alpha: float = ALPHA
) -> Image.Image:
    """The image with values in [0, 1] of its own size laid over it; where they are 0 it is plain.

    alpha: how much of the picture the highest value covers.
    """
    pixels = np.asarray(image.convert("RGB")) / 255
    cover = alpha * strength[..., None] ** COVER
    mixed = (1 - cover) * pixels + cover * colours(strength)
    return Image.fromarray((255 * mixed).round().astype(np.uint8))


def draw(
    image: Picture,
    prompts: Sequence[str],
    maps: Maps,
    *,
    alpha: float = ALPHA,
    caption: str = "",
    scale: Scale | None = None,
    beside: Mapping[str, Image.Image] | None = None,
) -> Image.Image:
    """What `gem.visualize` returns. ``beside`` are other pictures of the image, by their titles."""
    if len(maps) != len(prompts):
        raise ValueError(f"{len(maps)} maps for {len(prompts)} prompts")
    picture = _enlarged(as_image(_plain(image)))
    scale, others = scale or common_scale(maps), beside or {}
    titles = [(one, "") for one in ("image", *others)]
    titles += [(one, f"highest {maps[n].max():.3f}") for n, one in enumerate(prompts)]
    cells = [picture, *(one.resize(picture.size) for one in others.values())]
    for one in maps:
        fine = Image.fromarray(scale.strength(one).astype(np.float32), mode="F")
        grown = np.asarray(fine.resize(picture.size, Image.Resampling.BILINEAR))
        cells.append(overlay(picture, grown.clip(0, 1), alpha))
    return _sheet(cells, titles, scale, caption)


def as_maps(given: Any) -> Maps:
    """Maps of prompts as float64 [w, y, x]. Raises ValueError for another shape, nan or inf."""
    values = given.detach().cpu().float().numpy() if hasattr(given, "detach") else given
    maps = np.asarray(values, dtype=np.float64)
    if maps.ndim == 4 and len(maps) == 1:
        maps = maps[0]
    if maps.ndim != 3 or 0 in maps.shape:
        raise ValueError(f"maps of the shape {maps.shape}, expected [prompts, height, width]")
    if not np.isfinite(maps).all():
        raise ValueError("maps with values that are not finite")
    return maps


def _plain(image: Any) -> Any:
    """A tensor before it was normalised; anything else as it is."""
    if not hasattr(image, "detach") or not image.is_floating_point():
        return image
    found = image.detach().cpu().float()
    found = found[0] if found.ndim == 4 and len(found) == 1 else found
    if found.ndim != 3 or len(found) != 3 or (found.min() >= 0 and found.max() <= 1):
        return found
    mean, std = (found.new_tensor(one)[:, None, None] for one in (MEAN, STD))
    return (found * std + mean).clamp(0, 1)


def _enlarged(image: Image.Image) -> Image.Image:
    """The image at the size of a cell: small ones are enlarged, large ones made smaller."""
    factor = CELL / max(image.size)
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _sheet(
    cells: Sequence[Image.Image],
    titles: Sequence[tuple[str, str]],
    scale: Scale,
    caption: str,
) -> Image.Image:
    """Rows of titled pictures, a colour bar, and a line of text below."""
    across = min(len(cells), WIDEST)
    down = -(-len(cells) // across)
    width, height = cells[0].size
    column, head = max(width, 160), TEXT + SMALL + 14
    size = (
        GAP + across * (column + GAP),
        GAP + down * (head + height + GAP) + 3 * SMALL + (SMALL + GAP) * bool(caption) + GAP,
    )
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (cell, (title, below)) in enumerate(zip(cells, titles, strict=True)):
        left = GAP + number % across * (column + GAP)
        top = GAP + number // across * (head + height + GAP)
        draw.text((left, top), _cut(title, TEXT, column), INK, font=_font(TEXT))
        draw.text((left, top + TEXT + 5), below, PALE, font=_font(SMALL))
        sheet.paste(cell, (left, top + head))
    top = GAP + down * (head + height + GAP)
    _bar(sheet, draw, top, scale)
    if caption:
        line = _cut(caption, SMALL, size[0] - 2 * GAP)
        draw.text((GAP, top + 3 * SMALL + GAP), line, PALE, font=_font(SMALL))
    return sheet


def _bar(sheet: Image.Image, draw: ImageDraw.ImageDraw, top: int, scale: Scale) -> None:
    """The colours of the scale over white, with its ends as numbers."""
    width = min(CELL, sheet.width - 2 * GAP)
    strength = np.linspace(0, 1, width)[None].repeat(SMALL, axis=0)
    sheet.paste(overlay(Image.new("RGB", (width, SMALL), PAPER), strength), (GAP, top))
    draw.rectangle((GAP, top, GAP + width - 1, top + SMALL - 1), outline=PALE)
    low, high = f"{scale.low:.3f} or less", f"{scale.high:.3f}"
    font, line = _font(SMALL), top + SMALL + 4
    draw.text((GAP, line), low, PALE, font=font)
    draw.text((GAP + width - draw.textlength(high, font=font), line), high, PALE, font=font)


def _cut(text: str, size: int, width: int) -> str:
    """A line of text that is no wider; what is cut off is shown as three dots."""
    line, font = " ".join(text.split()), _font(size)
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(f"{line}...") > width:
        line = line[:-1]
    return f"{line.rstrip()}..."


@cache
def _font(size: int) -> Any:
    """Pillow's own."""
    return ImageFont.load_default(size)
