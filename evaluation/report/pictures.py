"""Pictures as data URIs: the page loads nothing."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image

from evaluation.console import visible
from evaluation.data import VOID
from evaluation.pictures.palette import palette, palette_bytes
from evaluation.records.json_file import read_bytes
from evaluation.report.foreign_html import rebuild_table

if TYPE_CHECKING:
    from jaxtyping import Integer

T = TypeVar("T")
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


def figures(folders: Sequence[Path]) -> tuple[list[Picture], list[str]]:
    """Every PNG and SVG of the folders, by name; of a figure in both forms the SVG.

    Then what could not be read, each with the reason. A browser runs nothing of an SVG that is
    the source of a picture.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.suffix in TYPES):
            name = path.relative_to(folder).with_suffix("").as_posix()
            found[name] = path  # .svg comes after .png

    def picture(path: Path) -> Picture:
        return Picture(_title(path), data_uri(read_bytes(path), TYPES[path.suffix]))

    return _each(picture, found.values())


def fragments(folder: Path) -> tuple[list[Fragment], list[str]]:
    """Every ``*.html`` of a folder as a table, then what is none, each with the reason.

    Files may be of another machine: they are rebuilt from their cells and texts, and nothing else
    of them is kept. The title is the table's caption; the name of the file where it has none.
    """
    order = {"table": 0, "figure": 1}  # of the paper; tables of others come after them
    paths = sorted(folder.rglob("*.html"), key=lambda path: (path.parent.name, path.stem))
    first = sorted(paths, key=lambda path: order.get(path.stem.rstrip("0123456789"), 2))
    return _each(_fragment, first)


def _each(make: Callable[[Path], T], paths: Iterable[Path]) -> tuple[list[T], list[str]]:
    found, others = list[T](), list[str]()
    for path in paths:
        try:
            found.append(make(path))
        except (ValueError, OSError) as error:
            others.append(visible(f"{path.name}: {getattr(error, 'strerror', None) or error}"))
    return found, others


def _fragment(path: Path) -> Fragment:
    try:
        text = read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"its text is no UTF-8: {error.reason}") from error
    table = rebuild_table(text)
    return Fragment(table.caption or _title(path), table.html)


def _title(path: Path) -> str:
    words = re.sub(r"(\D)(\d)", r"\1 \2", visible(path.stem)).replace("_", " ").replace("-", " ")
    return " ".join(words.split()).capitalize()


def _png(image: Image.Image, **options: bytes) -> str:
    stream = BytesIO()
    image.save(stream, "PNG", optimize=True, **options)
    return data_uri(stream.getvalue(), "image/png")
