"""Pictures of what prompts find in an image, beside each other on a sheet.

Shapes: y x pixels, w prompts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gem.given import as_image
from gem.overlay import ALPHA, Scale, common_scale, overlay

if TYPE_CHECKING:
    from jaxtyping import Float

    from gem.given import Picture

    Maps = Float[np.ndarray, "w y x"]

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
CELL, GAP, WIDEST = 320, 14, 4  # pixels of an image's longer side, between two; cells of a row
TEXT, SMALL = 20, 14
INK, PALE, PAPER = (25, 25, 25), (110, 110, 110), (255, 255, 255)


def draw(
    image: Picture,
    prompts: Sequence[str],
    maps: Maps,
    *,
    alpha: float = ALPHA,
    caption: str = "",
    scale: Scale | None = None,
    beside: Mapping[str, Image.Image] | None = None,
    marks: Mapping[str, str] | None = None,
) -> Image.Image:
    """What `gem.visualize` returns.

    beside: other pictures of the image, by their titles. marks: colours of prompts, as ``#1f77b4``.
    """
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
    return _sheet(cells, titles, scale, caption, marks or {})


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
    marks: Mapping[str, str],
) -> Image.Image:
    """Rows of titled pictures, a colour bar, and a line of text below.

    marks: the colour of a square before the title, by title.
    """
    down = -(-len(cells) // WIDEST)
    across = -(-len(cells) // down)  # rows as even as they can be: 5 are 3 and 2
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
        indent = 0
        if title in marks:
            indent = TEXT
            draw.rectangle((left, top + 5, left + SMALL, top + 5 + SMALL), marks[title])
        line = _cut(title, TEXT, column - indent)
        draw.text((left + indent, top), line, INK, font=_font(TEXT))
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
