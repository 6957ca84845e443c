"""Training-free open-vocabulary localisation: GEM and its relatives over any CLIP-like tower.

>>> import gem
>>> model = gem.load("ViT-B-16", weights="openai")
>>> maps = model.heatmaps(gem.read_image("photo.jpg"), ["a cat", "a remote control"])

The same by its parts, each of which can be another:

>>> backbone = gem.OpenClip(model="ViT-B-16", weights="openai")
>>> segmenter = gem.Patches(backbone=backbone, method=gem.Gem(iters=1, blocks=4))
>>> model = gem.Grounder(segmenter, gem.ShortSide(size=448))
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gem.backbones import Blip, OpenClip, TimmVit
from gem.grounder import Grounder
from gem.methods import (
    ClearClip,
    Clip,
    ClipSurgery,
    Gem,
    ItaclipAttention,
    MaskClip,
    Method,
    Naclip,
    Pearl,
    ProxyClip,
    ResClip,
    ScClip,
    Sclip,
    Sfp,
)
from gem.patches import Patches
from gem.resize import ShortSide, Square
from gem.segmenter import Segmenter
from gem.vocabulary import Prompts, Vocabulary
from gem.windows import SlidingWindow

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "Blip", "ClearClip", "Clip", "ClipSurgery", "Gem", "Grounder", "ItaclipAttention", "MaskClip",
    "Method", "Naclip", "OpenClip", "Patches", "Pearl", "Prompts", "ProxyClip", "ResClip", "ScClip",
    "Sclip", "Segmenter", "Sfp", "ShortSide", "SlidingWindow", "Square", "TimmVit", "Vocabulary",
    "load", "read_image",
]  # fmt: skip


def load(
    model: str = "tiny",
    weights: str | None = None,
    *,
    method: Method | None = None,
    quick_gelu: bool | None = None,
    short_side: int | None = None,
) -> Grounder:
    """A model ready to ground words: ``load(...).heatmaps(image, prompts)``.

    ``model`` is a name of open_clip, a folder, or ``tiny``, the embedded model of drawn scenes;
    ``weights`` a tag or file (see `gem.OpenClip`), which only ``tiny`` has of its own. ``method``
    is `gem.Gem` with the paper's settings unless given. ``short_side`` in pixels is 448, for
    ``tiny`` the 64 of its training.
    """
    if model != "tiny" and weights is None:
        raise ValueError(f"gem.load({model!r}): say which weights, a tag of open_clip or a file")
    backbone = OpenClip(model=model, weights=weights or "embedded", quick_gelu=quick_gelu)
    resize = ShortSide(size=(64 if model == "tiny" else 448) if short_side is None else short_side)
    return Grounder(Patches(backbone=backbone, method=method or Gem()), resize)


def read_image(path: str | Path) -> Image.Image:
    """An image file as RGB, turned as its EXIF orientation says: as people see it.

    Transparency is dropped; grey of 16 bits keeps its high byte (`gem.pixels`). Raises ValueError
    or FileNotFoundError, naming the file.
    """
    from gem.pixels import read_photograph

    return read_photograph(Path(path))
