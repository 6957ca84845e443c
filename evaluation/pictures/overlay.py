"""What prompts find in a photograph, as files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.whole_files import write_whole
from gem.overlay import Scale, overlay
from gem.sheet import draw

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float
    from PIL import Image


def write_overlays(
    image: Image.Image,
    maps: Float[np.ndarray, "w y x"],
    prompts: Sequence[str],
    *,
    scale: Scale,
    folder: Path,
    stem: str,
    caption: str,
) -> list[Path]:
    """One PNG per prompt at the image's size, and a panel of all; returns the paths."""
    paths = []
    for number, (prompt, one) in enumerate(zip(prompts, maps, strict=True), start=1):
        slug = re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")[:40]
        paths.append(folder / f"{stem}-{number}-{slug}.png")
        picture = overlay(image, scale.strength(one))
        write_whole(paths[-1], partial(picture.save, format="PNG"))
    paths.append(folder / f"{stem}-panel.png")
    panel = draw(image, prompts, maps, scale=scale, caption=caption)
    write_whole(paths[-1], partial(panel.save, format="PNG"))
    return paths
