"""Heat maps over photographs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from evaluation.whole_files import write_whole

if TYPE_CHECKING:
    from jaxtyping import Float

STRENGTH = 0.55


def overlay(image: Image.Image, heat: Float[np.ndarray, "y x"]) -> Image.Image:
    """The image with a map in [0, 1] of its own size laid over it."""
    colours = mpl.colormaps["turbo"](heat)[..., :3]
    pixels = np.asarray(image.convert("RGB")) / 255
    mixed = (1 - STRENGTH) * pixels + STRENGTH * colours
    return Image.fromarray((255 * mixed).round().astype("uint8"))


def write_overlays(
    image: Image.Image,
    heats: Float[np.ndarray, "w y x"],
    prompts: Sequence[str],
    *,
    folder: Path,
    stem: str,
    caption: str,
) -> list[Path]:
    """One PNG per prompt at the image's size, and a panel of all; returns the paths."""
    pictures = [overlay(image, heat) for heat in heats]
    paths = []
    for number, (prompt, picture) in enumerate(zip(prompts, pictures, strict=True), start=1):
        slug = re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")[:40]
        paths.append(folder / f"{stem}-{number}-{slug}.png")
        write_whole(paths[-1], partial(picture.save, format="PNG"))
    paths.append(folder / f"{stem}-panel.png")
    figure = _panel([image, *pictures], ["image", *prompts], caption)
    write_whole(paths[-1], partial(figure.savefig, format="png"))
    return paths


def _panel(pictures: Sequence[Image.Image], titles: Sequence[str], caption: str) -> Figure:
    side = 2.6
    ratio = pictures[0].height / pictures[0].width
    figure = Figure(
        figsize=(side * len(pictures), side * ratio + 0.7), layout="constrained", dpi=150
    )
    axes = figure.subplots(1, len(pictures), squeeze=False)[0]
    for axis, picture, title in zip(axes, pictures, titles, strict=True):
        axis.imshow(picture)
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    figure.supxlabel(caption, fontsize=7, color="0.4")
    return figure
