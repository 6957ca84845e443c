"""Label maps in image files: ids as they are stored, never as colours, scaled or estimated."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Integer
    from PIL import Image, ImageFile

ID_MODES = {"P", "L", "I", "I;16", "I;16B"}
FORMATS = ("PNG", "TIFF", "BMP", "GIF")
"""Formats that keep numbers; JPEG estimates them, PGM scales them to its maximum."""


def read_mask(source: Path | BytesIO, name: str = "") -> Integer[np.ndarray, "y x"]:
    """Label ids of a palette, grey or 16-bit image, as they are stored: never as luma.

    Raises ValueError if it is broken, has colours, or is stored in a way that changes numbers.
    """
    import numpy as np

    from gem.pixels import check_depth, open_image, read_bytes, reason

    try:
        opened = open_image(read_bytes(source))
        if opened.mode not in ID_MODES:
            raise ValueError(f"it is {opened.mode}, but label ids are one channel")
        if opened.mode.startswith("I;16"):
            check_depth(opened)
        _check_exact(opened)
        return np.array(opened)
    except Exception as error:  # Pillow's parsers of hostile bytes raise anything
        raise ValueError(f"{name or source} cannot be read as a mask: {reason(error)}") from error


def check_mask_size(stored: Integer[np.ndarray, "y x"], image: Image.Image, *, what: str) -> None:
    """Raise ValueError if a mask has not the size of the stored pixels of its image."""
    if stored.shape != (image.height, image.width):
        raise ValueError(
            f"{what} is {stored.shape[0]}x{stored.shape[1]} but its image is "
            f"{image.height}x{image.width} (height x width){turned_hint(image, stored.shape)}"
        )


def turned_hint(image: Image.Image, size: tuple[int, ...]) -> str:
    """What to say of a truth of another size if it is that of the image as people see it."""
    from gem.pixels import orientation

    turn = orientation(image)
    if turn < 5 or size != (image.width, image.height):
        return ""
    return (
        f"; its EXIF orientation {turn} turns it when it is shown, but a truth belongs to the "
        "stored pixels"
    )


def _check_exact(opened: ImageFile.ImageFile) -> None:
    """Raise ValueError where Pillow would give other numbers than were stored."""
    if opened.format not in FORMATS:
        raise ValueError(
            f"it is {opened.format}, expected {' or '.join(FORMATS)}, which keep numbers"
        )
    arguments = opened.tile[0].args if opened.tile else ()
    raw = arguments if isinstance(arguments, str) else str(next(iter(arguments or ()), ""))
    if raw.startswith("L;") or "jpeg" in str(opened.info.get("compression")):
        stored = "JPEG in TIFF" if not raw.startswith("L;") else f"{raw} (Pillow's name for it)"
        raise ValueError(
            f"its grey is stored as {stored}, which changes numbers, expected 8 or 16 bits or a "
            "palette"
        )
