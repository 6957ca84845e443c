"""What users hand over as images and prompts, brought to one form.

Shapes: y x pixels, c channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image

from gem.pixels import as_rgb, read_photograph

if TYPE_CHECKING:
    from torch import Tensor

    Picture: TypeAlias = "Image.Image | str | Path | np.ndarray | Tensor"

WANTED = "expected [y, x, 3] or [y, x], and for a tensor [3, y, x] or [1, y, x]"


def as_image(given: Picture) -> Image.Image:
    """An image in one of the usual forms as RGB of 8 bits.

    given: an image of Pillow; the path of a file, which is turned as its EXIF orientation says; a
        numpy array [y, x, 3] or [y, x], or a tensor [3, y, x] or [1, y, x], of uint8, or of
        floating point in [0, 1], which is rounded to 8 bits. One channel is grey.

    Raises ValueError or TypeError, saying what was found, for anything else; what `gem.read_image`
    raises for a file.
    """
    if isinstance(given, Image.Image):
        return as_rgb(given)
    if isinstance(given, str | Path):
        return read_photograph(Path(given))
    channels_first = hasattr(given, "detach")
    if not channels_first and not isinstance(given, np.ndarray):
        raise TypeError(
            f"an image of the type {type(given).__name__}, expected one of Pillow, a path, a numpy "
            "array or a tensor"
        )
    values = _on_cpu(given) if channels_first else np.asarray(given)
    return Image.fromarray(_eight_bits(_planes_last(values, channels_first=channels_first)))


def as_images(given: Picture | Sequence[Picture]) -> tuple[list[Image.Image], bool]:
    """All images, and whether several were given: a list or a tuple of them."""
    if isinstance(given, list | tuple):
        return [as_image(one) for one in given], True
    return [as_image(given)], False  # type: ignore[arg-type] # whatever it is, it says so


def as_prompts(given: str | Sequence[str]) -> tuple[str, ...]:
    """One prompt, or several. Raises ValueError or TypeError for none, or what is no text."""
    prompts = (given,) if isinstance(given, str) else tuple(given)
    if not prompts:
        raise ValueError("no prompts: give at least one")
    for one in prompts:
        if not isinstance(one, str):
            raise TypeError(f"a prompt of the type {type(one).__name__}, expected a str")
    return prompts


def _on_cpu(tensor: Any) -> np.ndarray:
    """Also of bfloat16, which numpy lacks."""
    found = tensor.detach().cpu()
    values: np.ndarray = (found.float() if found.is_floating_point() else found).numpy()
    return values


def _planes_last(values: np.ndarray, *, channels_first: bool) -> np.ndarray:
    """As [y, x, 3]. Raises ValueError for other shapes."""
    shape = values.shape
    if values.ndim == 4:
        raise ValueError(f"an array of the shape {shape}: of several images, give list(images)")
    if channels_first:
        plain = values.ndim == 3 and shape[0] in {1, 3}
        ordered = values.transpose(1, 2, 0) if plain else values
    else:
        plain = values.ndim == 2 or (values.ndim == 3 and shape[2] == 3)
        ordered = values[:, :, None] if values.ndim == 2 else values
    if not plain or 0 in shape:
        raise ValueError(f"an array of the shape {shape}, {WANTED}")
    return np.broadcast_to(ordered, (*ordered.shape[:2], 3))


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Raises ValueError for numbers that are neither of 8 bits nor in [0, 1]."""
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    if values.dtype.kind != "f":
        raise ValueError(f"an array of {values.dtype}, expected uint8, or floating point in [0, 1]")
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):  # nan is in neither range
        raise ValueError(
            f"an array of {values.dtype} with values from {low:g} to {high:g}, expected [0, 1]: an "
            "image before it is normalised"
        )
    return (values.astype(np.float64) * 255).round().astype(np.uint8)
