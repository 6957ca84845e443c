"""Drawn images and their truth as the bytes of files.

Shapes: y x pixels.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from rehearsal.sets import Kind

if TYPE_CHECKING:
    from jaxtyping import Integer, UInt8

COARSE = 4  # pixels: borders of regions are drawn so finely
BORDER = 2  # pixels of void around objects
JPEG_START, PNG_HEAD = 2, 33  # bytes before which nothing may be put
MAT_TEXT = 116  # bytes of text that a .mat begins with


@dataclass(frozen=True)
class Drawing:
    """A JPEG, and the file of its truth; nothing where the truth is points."""

    image: bytes
    truth: bytes


def draw(
    seed: tuple[int, int], size: tuple[int, int], kind: Kind, labels: Sequence[int]
) -> Drawing:
    """One drawing of (width, height), with these labels in its first regions."""
    random = np.random.default_rng(seed)
    regions = draw_regions(random, size, kind.regions)
    image = _jpeg(_coloured(random, regions, kind), kind.quality)
    if kind.truth == "points":
        return Drawing(image, b"")
    names = np.array([*labels, *[0] * (kind.regions - kind.shown)])
    stored = _with_void(names[regions], kind)
    if kind.truth == "mat":
        return Drawing(image, _mat(stored.astype("<u2")))
    return Drawing(image, _png(stored.astype(np.uint8), palette=kind.truth == "palette"))


def draw_regions(
    random: np.random.Generator, size: tuple[int, int], count: int
) -> "UInt8[np.ndarray, 'y x']":
    """The nearest of some points for each pixel."""
    width, height = size
    rows, columns = random.random(count) * height, random.random(count) * width
    y, x = np.mgrid[0:height:COARSE, 0:width:COARSE]
    nearest = ((y - rows[:, None, None]) ** 2 + (x - columns[:, None, None]) ** 2).argmin(axis=0)
    coarse = Image.fromarray(nearest.astype(np.uint8))
    return np.asarray(coarse.resize(size, Image.Resampling.NEAREST))


def _coloured(
    random: np.random.Generator, regions: "UInt8[np.ndarray, 'y x']", kind: Kind
) -> "UInt8[np.ndarray, 'y x 3']":
    """A colour for each region, and grain over all, which is what the JPEG's bytes are of."""
    colours = random.integers(0, 256, (kind.regions, 3))
    grain = random.integers(-kind.grain, kind.grain + 1, regions.shape, dtype=np.int16)
    return np.asarray(np.clip(colours[regions] + grain[..., None], 0, 255), dtype=np.uint8)


def _with_void(labels: "Integer[np.ndarray, 'y x']", kind: Kind) -> "Integer[np.ndarray, 'y x']":
    """Void where two regions meet, as around the objects of VOC; in all sets, to have some."""
    padded = np.pad(labels, ((0, BORDER), (0, BORDER)), mode="edge")
    right, below = padded[:-BORDER, BORDER:], padded[BORDER:, :-BORDER]
    return np.where((labels != right) | (labels != below), kind.void, labels)


def _jpeg(pixels: "UInt8[np.ndarray, 'y x 3']", quality: int) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format="JPEG", quality=quality)
    return stream.getvalue()


def _png(stored: "UInt8[np.ndarray, 'y x']", *, palette: bool) -> bytes:
    stream, image = BytesIO(), Image.fromarray(stored)
    if palette:
        image.putpalette(voc_palette())
    image.save(stream, format="PNG")
    return stream.getvalue()


def voc_palette() -> bytes:
    """The colours of VOC's masks: the bits of a label, three by three, from the highest down."""
    labels = np.arange(256)
    colours = np.zeros((256, 3), dtype=np.uint8)
    for step in range(8):
        for channel in range(3):
            bit = labels >> (3 * step + channel) & 1
            colours[:, channel] |= (bit << (7 - step)).astype(np.uint8)
    return colours.tobytes()


def _mat(stored: "Integer[np.ndarray, 'y x']") -> bytes:
    """A MATLAB file of version 5 with one array of uint16, LabelMap, compressed as MATLAB does."""
    head = _element(6, struct.pack("<II", 11, 0)) + _element(5, struct.pack("<ii", *stored.shape))
    matrix = head + _element(1, b"LabelMap") + _element(4, stored.tobytes(order="F"))
    packed = zlib.compress(_element(14, matrix), 6)
    start = b"MATLAB 5.0 MAT-file".ljust(MAT_TEXT) + bytes(8) + struct.pack("<H", 0x100) + b"IM"
    return start + struct.pack("<II", 15, len(packed)) + packed


def _element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def named(content: bytes, name: str) -> bytes:
    """The same drawing as a file that no other equals: it has its id in a comment."""
    text = name.encode()
    if content.startswith(b"\xff\xd8"):
        comment = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
        return content[:JPEG_START] + comment + content[JPEG_START:]
    if content.startswith(b"\x89PNG"):
        body = b"tEXtComment\0" + text
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        return content[:PNG_HEAD] + chunk + content[PNG_HEAD:]
    return f"MATLAB 5.0 MAT-file, {name}".encode().ljust(MAT_TEXT) + content[MAT_TEXT:]
