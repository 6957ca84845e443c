"""Pictures as data URIs: the page loads nothing."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from evaluation.data import VOID
from evaluation.pictures.palette import palette, palette_bytes

if TYPE_CHECKING:
    from jaxtyping import Integer

DRAWING, LARGEST = 200, 640
TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Picture:
    """A figure of the page."""

    title: str
    uri: str


@dataclass(frozen=True)
class Fragment:
    """A table of the paper as HTML."""

    title: str
    html: str


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
    """Labels as a PNG with the palette of the figures; void and background are transparent."""
    image = Image.fromarray(labels.astype("uint8"))
    image.putpalette(palette_bytes(background=background))
    opacity = np.full(256, 255, dtype="uint8")
    opacity[VOID] = 0
    opacity[0] = 0 if background else 255
    return _png(image, transparency=opacity.tobytes())


def colour_names(count: int, *, background: bool) -> list[str]:
    """The colours of the labels 0 to count-1 as CSS calls them."""
    colours = (255 * palette(background=background)[:count]).round().astype(int)
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours.tolist()]


def figures(folders: Sequence[Path]) -> list[Picture]:
    """Every PNG and SVG of the folders, by name; of a figure in both forms the SVG."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(path for path in folder.glob("*") if path.suffix in TYPES):
            found[path.stem] = path  # .svg comes after .png
    return [
        Picture(_title(path), data_uri(path.read_bytes(), TYPES[path.suffix]))
        for path in found.values()
    ]


def fragments(folder: Path) -> list[Fragment]:
    """Every ``*.html`` of a folder: what is in its body, without scripts and styles.

    The title is the table's caption; the name of the file where it has none.
    """
    order = {"table": 0, "figure": 1}  # of the paper; tables of others come after them
    paths = sorted(folder.glob("*.html"), key=lambda path: path.stem)
    first = sorted(paths, key=lambda path: order.get(path.stem.rstrip("0123456789"), 2))
    return [_fragment(path) for path in first]


def _fragment(path: Path) -> Fragment:
    body = _body(path.read_text(encoding="utf-8"))
    caption = re.search(r"<figcaption>(.*?)</figcaption>", body, re.DOTALL)
    if caption is None:
        return Fragment(_title(path), body)
    text = html.unescape(re.sub(r"<[^>]*>", "", caption[1]))
    return Fragment(" ".join(text.split()), body.replace(caption[0], "", 1))


def _body(text: str) -> str:
    inner = re.search(r"<body[^>]*>(.*)</body>", text, re.DOTALL | re.IGNORECASE)
    kept = inner[1] if inner else text
    kept = re.sub(r"<!doctype[^>]*>", "", kept, flags=re.IGNORECASE)
    return re.sub(r"<(script|style)\b.*?</\1>", "", kept, flags=re.DOTALL | re.IGNORECASE)


def _title(path: Path) -> str:
    words = re.sub(r"(\D)(\d)", r"\1 \2", path.stem).replace("_", " ").replace("-", " ")
    return " ".join(words.split()).capitalize()


def _png(image: Image.Image, **options: bytes) -> str:
    stream = BytesIO()
    image.save(stream, "PNG", optimize=True, **options)
    return data_uri(stream.getvalue(), "image/png")
