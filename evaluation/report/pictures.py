"""Figures and tables from files, with what they show; as data, for the page loads nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from PIL import Image

from evaluation.console import visible
from evaluation.records.json_file import read_bytes
from evaluation.report.foreign_html import rebuild_table
from evaluation.report.layers import data_uri

T = TypeVar("T")
WIDE = 9  # columns that a page of A4 holds
TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
SAID = re.compile(rb"<dc:(title|description)>(.{1,2000}?)</dc:", re.DOTALL)
PANEL = "Images chosen by a seed, in lines: the image, its ground truth, and each method's labels."


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    caption: what is seen. drawn: whether it is lines on nothing, which a dark page recolours.
    """

    title: str
    uri: str
    caption: str = ""
    drawn: bool = False


@dataclass(frozen=True)
class Fragment:
    """A table of the paper as HTML."""

    title: str
    html: str

    @property
    def wide(self) -> bool:
        """Whether it has so many columns that it is printed across the page."""
        return self.html.partition("</thead>")[0].count("<th") > WIDE


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

    return _each(_picture, found.values())


def _picture(path: Path) -> Picture:
    content, title = read_bytes(path), _title(path)
    said = said_in(content)
    caption = said.get("description") or (PANEL if path.stem.startswith("panel-") else "")
    uri, drawn = data_uri(content, TYPES[path.suffix]), path.suffix == ".svg"
    return Picture(said.get("title") or title, uri, caption or f"{title}.", drawn)


def said_in(content: bytes) -> dict[str, str]:
    """Title and description that a PNG or an SVG holds as text; what a picture does not say is out.

    A file may be of another machine: what cannot be read says nothing.
    """
    if content.startswith(b"\x89PNG"):
        try:
            with Image.open(BytesIO(content)) as image:
                found = {str(name).lower(): str(text) for name, text in image.info.items()}
        except (OSError, ValueError, SyntaxError):
            return {}
    else:
        own = content.partition(b"<dc:creator>")[0]  # what follows is of the program that drew it
        texts = (
            (kind.decode(), text.decode("utf-8", "replace")) for kind, text in SAID.findall(own)
        )
        found = {kind: html.unescape(text) for kind, text in texts}
    kept = {name: visible(" ".join(text.split())) for name, text in found.items()}
    return {name: kept[name] for name in ("title", "description") if kept.get(name)}


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
