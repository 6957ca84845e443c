"""From a model's name to an empty model of open_clip: what is supported, and how it is built."""

import difflib
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import open_clip
import torch
from open_clip import CLIP, CLIPVisionCfg, CustomTextCLIP
from open_clip.pretrained import get_pretrained_cfg
from torch import Tensor

from gem.backbones.backbone import TowerShape
from gem.backbones.word_tokenizer import WordTokenizer

EMBEDDED = Path(__file__).parent / "tiny"
SUPPORTED = "supported are open_clip's own VisionTransformer with a class token and text tower"


class Tokenizer(Protocol):
    """open_clip's byte-pair tokenizer, or `gem.backbones.word_tokenizer.WordTokenizer`."""

    context_length: int

    def encode(self, text: str) -> list[int]:
        """Token ids without start and end."""

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Token ids with start, end and padding."""


def new_model(
    name: str,
    tag: str | None,
    *,
    quick_gelu: bool,
    device: torch.device,
    precision: str,
    seed: int,
) -> CLIP | CustomTextCLIP:
    """An untrained model with the parameters of the seed; the caller's RNG is left alone.

    ``tag`` names the weights that will be loaded, if they have a tag: images are normalised as
    these were trained. Raises ValueError for a name that open_clip does not know and for towers
    that are not supported: ResNet, timm, attention pooling, q-k norm.
    """
    check_supported(name, _config(name))
    folder = folder_of(name)
    trained = get_pretrained_cfg(name, tag or "")
    with torch.random.fork_rng(devices=[]), _quiet():
        torch.default_generator.manual_seed(seed)  # torch.manual_seed seeds the GPU too
        model: CLIP | CustomTextCLIP = open_clip.create_model(
            f"local-dir:{folder}" if folder else name,
            load_weights=False,
            quick_gelu=quick_gelu,  # force_quick_gelu could not turn off that of a -quickgelu name
            force_preprocess_cfg={key: trained[key] for key in ("mean", "std") if key in trained},
            precision=precision,
            device=device,
        )
    return model.eval().requires_grad_(False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without open_clip's warning that it loads no weights: we do, later."""
    loud = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(loud)


def tower_shape(name: str) -> TowerShape:
    """Sizes of the image tower by the model's config. Raises what `new_model` raises."""
    config = _config(name)
    check_supported(name, config)
    vision = config["vision_cfg"]
    return TowerShape(
        num_blocks=vision.get("layers", CLIPVisionCfg.layers),
        patch_size=vision.get("patch_size", CLIPVisionCfg.patch_size),
        embedding=config["embed_dim"],
    )


def own_quick_gelu(name: str) -> bool:
    """The activation that the model's own config names."""
    return bool(_config(name).get("quick_gelu", False))


def new_tokenizer(name: str) -> Tokenizer:
    """The tokenizer of the model: whole words if its folder has a ``vocabulary.txt``."""
    folder = folder_of(name)
    if folder and (folder / "vocabulary.txt").is_file():
        length = int(_config(name)["text_cfg"]["context_length"])
        return WordTokenizer((folder / "vocabulary.txt").read_text("utf-8").split(), length)
    tokenizer: Tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}" if folder else name)
    return tokenizer


def folder_of(name: str) -> Path | None:
    """The folder that holds the model: the embedded one for ``tiny``; None for open_clip's own."""
    if name == "tiny":
        return EMBEDDED
    return Path(name) if Path(name).is_dir() else None


def check_supported(name: str, config: dict[str, Any]) -> None:
    """Raise ValueError, naming what is not supported in the towers of ``config``."""
    vision, text = config["vision_cfg"], config["text_cfg"]
    reasons = {
        "a timm image tower": "timm_model_name" in vision,
        "a ResNet image tower": isinstance(vision.get("layers"), list),
        "attention pooling": bool(vision.get("attentional_pool")),
        "pooling without a class token": vision.get("pool_type", "tok") != "tok",
        "patches that are not square": isinstance(vision.get("patch_size"), list),
        "a custom block type": bool(vision.get("block_type")),
        "q-k normalisation": bool(vision.get("qk_norm")),
        "scaled attention": any(value for key, value in vision.items() if key.startswith("scale")),
        "a Hugging Face text tower": "hf_model_name" in text,
        "a Hugging Face tokenizer": "hf_tokenizer_name" in text and "hf_model_name" not in text,
        "a caption decoder": "multimodal_cfg" in config,
    }
    found = [reason for reason, present in reasons.items() if present]
    if found:
        raise ValueError(f"backbone.model={name} has {' and '.join(found)}; {SUPPORTED}")


def _config(name: str) -> dict[str, Any]:
    """Towers of a folder's ``open_clip_config.json`` or of a name that open_clip knows."""
    folder = folder_of(name)
    if folder:
        path = folder / "open_clip_config.json"
        if not path.is_file():
            raise FileNotFoundError(f"backbone.model={name}: the folder has no {path.name}")
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["model_cfg"]
        return config
    known = open_clip.get_model_config(name)
    if known is None:
        close = difflib.get_close_matches(name, open_clip.list_models(), n=3)
        hint = f"; close are {', '.join(close)}" if close else ""
        raise ValueError(f"backbone.model={name}: neither a folder nor a model of open_clip{hint}")
    found: dict[str, Any] = known
    return found
