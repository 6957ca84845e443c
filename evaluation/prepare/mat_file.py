"""One array of numbers of a MATLAB file, versions 4 to 7.

Not scipy: one wrong byte can make its reader leave its memory, and end the process.
The format: MathWorks, MAT-File Format, versions 5 and 4.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Shaped

NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
"""Element types of version 5 that are numbers."""
OLD_NUMBERS = ("f8", "f4", "i4", "i2", "u2", "u1")
"""Number types of version 4."""
CLASSES = range(6, 16)
"""Array classes of version 5 that are numbers; they are stored in any type that holds them."""
Order = Literal["<", ">"]
MATRIX, COMPRESSED = 14, 15
IMAGINARY = 0x0800
MOST_BYTES = 256 << 20
"""No array is longer; more is taken for a bomb."""


@dataclass(frozen=True)
class Element:
    """A piece of a file of version 5: its type and its bytes."""

    kind: int
    content: bytes


def read_array(content: bytes, name: str) -> Shaped[np.ndarray, "..."]:
    """The array of that name, in the type that it is stored in.

    Raises ValueError if there is none, or if the file is broken.
    """
    if len(content) >= 128 and content[126:128] in {b"IM", b"MI"}:
        order: Order = "<" if content[126:128] == b"IM" else ">"
        found = _arrays(content[128:], order)
    else:
        found = _old_arrays(content)
    for title, array in found:
        if title == name:
            if array is None:
                raise ValueError(f"{name} is no array of real numbers")
            return array
    raise ValueError(f"it has no {name}")


def _arrays(content: bytes, order: Order) -> Iterator[tuple[str, np.ndarray | None]]:
    """Names and arrays of version 5; None for what holds no real numbers."""
    for found in _elements(content, order):
        element = found
        if element.kind == COMPRESSED:
            element = next(_elements(_decompressed(element.content), order))
        if element.kind != MATRIX:
            raise ValueError(f"it has an element of the type {element.kind}")
        parts = _elements(element.content, order)
        flags, shape, name = (_numbers(next(parts, None), order) for _ in range(3))
        if "f" in {flags.dtype.kind, shape.dtype.kind, name.dtype.kind} or not len(flags):
            raise ValueError("an array lacks its head")
        kind, imaginary = int(flags[0]) & 0xFF, int(flags[0]) & IMAGINARY
        title = bytes(name.astype(np.uint8)).decode("ascii")
        if kind not in CLASSES or imaginary:
            yield title, None
            continue
        values = _numbers(next(parts, None), order)
        yield title, _shaped(values, tuple(shape.tolist()))


def _elements(content: bytes, order: Order) -> Iterator[Element]:
    at = 0
    while at < len(content):
        if len(content) < at + 8:
            raise ValueError("it is cut short")
        kind, size = struct.unpack_from(f"{order}II", content, at)
        start = at + 8
        if kind >> 16:  # up to four bytes are put into the second half of their tag
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
        end = start + size
        if end > len(content) or (start == at + 4 and size > 4):
            raise ValueError("it is cut short")
        yield Element(kind, content[start:end])
        if start == at + 4:
            at += 8
        else:
            at = end if kind == COMPRESSED else start + -(-size // 8) * 8


def _numbers(element: Element | None, order: Order) -> Shaped[np.ndarray, " n"]:
    if element is None or element.kind not in NUMBERS:
        raise ValueError("an array lacks its numbers")
    return np.frombuffer(element.content, np.dtype(NUMBERS[element.kind]).newbyteorder(order))


def _decompressed(content: bytes) -> bytes:
    machine = zlib.decompressobj()
    try:
        found = machine.decompress(content, MOST_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not machine.eof:  # only at its end the check sum is compared
        raise ValueError("its compressed bytes are cut short, or too many")
    return found


def _old_arrays(content: bytes) -> Iterator[tuple[str, np.ndarray | None]]:
    """Names and arrays of version 4."""
    at = 0
    while at < len(content):
        if len(content) < at + 20:
            raise ValueError("it is cut short")
        kind, rows, columns, imaginary, length = struct.unpack_from("<5i", content, at)
        number, form = divmod(kind, 10)
        if not 0 <= number < len(OLD_NUMBERS) or form not in {0, 1, 2} or min(rows, columns) < 0:
            raise ValueError("it is no MATLAB file")
        dtype = np.dtype(OLD_NUMBERS[number]).newbyteorder("<")
        start = at + 20 + length
        at = start + rows * columns * dtype.itemsize * (2 if imaginary else 1)
        if not 0 < length <= 64 or at > len(content):
            raise ValueError("it is cut short")
        title = content[start - length : start].rstrip(b"\0").decode("ascii")
        values = np.frombuffer(content[start:at], dtype)
        usable = form == 0 and not imaginary
        yield title, _shaped(values, (rows, columns)) if usable else None


def _shaped(values: Shaped[np.ndarray, " n"], shape: tuple[int, ...]) -> Shaped[np.ndarray, "..."]:
    if min(shape, default=-1) < 0 or math.prod(shape) != len(values):
        raise ValueError(f"an array of the shape {shape} has {len(values)} values")
    return values.reshape(shape, order="F")
