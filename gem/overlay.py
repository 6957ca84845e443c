"""Heat maps over images: the scale, its colours, and one map over one image.

Shapes: y x pixels, w prompts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from jaxtyping import Float

    Maps = Float[np.ndarray, "w y x"]

ANCHORS = (
    "000004", "140b34", "390963", "5f136e", "85216b", "a92e5e",
    "cb4149", "e65d2f", "f78410", "fcae12", "f5db4c", "fcffa4",
)  # fmt: skip
"""matplotlib's inferno at equal steps: as much lighter with every step, also without colour."""
ALPHA = 0.85
COVER = 1.25  # above 1: weak values cover a little less than their share, and haze stays thin


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
