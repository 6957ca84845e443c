"""Training-free open-vocabulary localisation: GEM and its relatives over any CLIP-like tower.

>>> import gem
>>> model = gem.load("ViT-B-16", weights="openai")
>>> maps = model.heatmaps("photo.jpg", ["a cat", "a remote control"])
>>> gem.visualize("photo.jpg", ["a cat"], model.scores("photo.jpg", "a cat"), save_path="cat.png")

The same by its parts, each of which can be another:

>>> backbone = gem.OpenClip(model="ViT-B-16", weights="openai")
>>> segmenter = gem.Patches(backbone=backbone, method=gem.Gem(iters=1, blocks=4))
>>> model = gem.Grounder(segmenter, gem.ShortSide(size=448))

Code that was written for the released GEM finds its names here too: `create_gem_model`,
`get_gem_img_transform`, `get_tokenizer`, `available_models`, `visualize`.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gem import methods
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
from gem.release import (
    available_models,
    create_gem_model,
    create_model_and_transforms,
    get_gem_img_transform,
    get_tokenizer,
)
from gem.resize import ShortSide, Square
from gem.segmenter import Segmenter
from gem.visualize import visualize
from gem.vocabulary import Prompts, Vocabulary
from gem.windows import SlidingWindow

if TYPE_CHECKING:
    from PIL import Image

    from gem.backbones.backbone import Backbone
    from gem.backbones.open_clip import Precision

try:
    __version__ = version("gem-bench")
except PackageNotFoundError:  # a copy of the files, not installed
    __version__ = "unknown"

__all__ = [
    "Blip", "ClearClip", "Clip", "ClipSurgery", "Gem", "Grounder", "ItaclipAttention", "MaskClip",
    "Method", "Naclip", "OpenClip", "Patches", "Pearl", "Prompts", "ProxyClip", "ResClip", "ScClip",
    "Sclip", "Segmenter", "Sfp", "ShortSide", "SlidingWindow", "Square", "TimmVit", "Vocabulary",
    "available_models", "create_gem_model", "create_model_and_transforms", "get_gem_img_transform",
    "get_tokenizer", "load", "read_image", "visualize",
]  # fmt: skip


def load(
    model: Any = "tiny",
    weights: str | None = None,
    *,
    method: Method | str | None = None,
    quick_gelu: bool | None = None,
    short_side: int | None = None,
    device: str = "auto",
    precision: Precision = "fp32",
    tokenizer: Any = None,
) -> Grounder:
    """A model ready to ground words: ``load(...).heatmaps(image, prompts)``.

    model: a name of open_clip, a folder, ``tiny`` (the embedded model of drawn scenes), or a model
        object of open_clip that the caller has loaded, which stays as and where it is; its
        ``tokenizer`` if it does not read CLIP's byte pairs.
    weights, quick_gelu, device, precision: as of `gem.OpenClip`. Only ``tiny`` has weights of its
        own.
    method: `gem.Gem` with the paper's settings unless given; another by its options or by its name,
        ``"maskclip"``, with its defaults.
    short_side: in pixels; 448, for ``tiny`` the 64 of its training.

    Raises ValueError or TypeError for what is not known, or contradicts the model that is given.
    """
    if isinstance(model, str):
        if model != "tiny" and weights is None:
            raise ValueError(
                f"gem.load({model!r}): say which weights, a tag of open_clip or a file"
            )
        backbone: Backbone = OpenClip(
            model=model,
            weights=weights or "embedded",
            quick_gelu=quick_gelu,
            device=device,
            precision=precision,
        )
    else:
        said = (weights, quick_gelu, device, precision)
        if said != (None, None, "auto", "fp32"):
            raise ValueError(
                "gem.load: weights, quick_gelu, device and precision of a model that is loaded "
                "already are its own"
            )
        from gem.backbones.loaded import LoadedClip

        backbone = LoadedClip(model, tokenizer)
    size = (64 if model == "tiny" else 448) if short_side is None else short_side
    segmenter = Patches(backbone=backbone, method=method_of(method))
    return Grounder(segmenter, ShortSide(size=size))


def method_of(method: Method | str | None) -> Method:
    """A method by its name with its defaults, ``"clip_surgery"``; `gem.Gem` if none is given.

    Raises ValueError for a name that is not known, or of a method that needs options.
    """
    if method is None:
        return Gem()
    if not isinstance(method, str):
        return method
    known = {_plain(name): name for name in methods.__all__ if name != "Method"}
    name = known.get(_plain(method))
    if name is None:
        raise ValueError(f"method={method!r} is not known, expected one of {', '.join(known)}")
    try:
        found: Method = getattr(methods, name)()
    except ValueError:
        raise ValueError(
            f"method={method!r} has options without a default: gem.{name}(...)"
        ) from None
    return found


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def read_image(path: str | Path) -> Image.Image:
    """An image file as RGB, turned as its EXIF orientation says: as people see it.

    Transparency is dropped; grey of 16 bits keeps its high byte (`gem.pixels`). Raises ValueError
    or FileNotFoundError, naming the file.
    """
    from gem.pixels import read_photograph

    return read_photograph(Path(path))
