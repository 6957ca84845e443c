"""The colours of labels: the same class has the same colour in every picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from evaluation.data import VOID

if TYPE_CHECKING:
    from jaxtyping import Float

BACKGROUND = (0.95, 0.95, 0.94)
VOID_COLOUR = (1.0, 1.0, 1.0)
GRAYS = (14, 15)  # of tab20: a class must not look like an image without colour


def palette(*, background: bool) -> Float[np.ndarray, "256 3"]:
    """One RGB colour in [0, 1] for every label; 255 is void, 0 the background if there is one."""
    colours = np.empty((256, 3))
    wheel = np.delete(mpl.colormaps["tab20"](np.arange(20))[:, :3], GRAYS, axis=0)
    # tab20 comes in pairs of dark and light: first all dark ones, then all light ones
    wheel = np.concatenate([wheel[0::2], wheel[1::2]])
    for label in range(256):
        colours[label] = wheel[(label - int(background)) % len(wheel)]
    if background:
        colours[0] = BACKGROUND
    colours[VOID] = VOID_COLOUR
    return colours


def palette_bytes(*, background: bool) -> bytes:
    """The palette of a PNG with labels."""
    return (255 * palette(background=background)).round().astype("uint8").tobytes()
