"""From the name of a model of timm to an empty one: what is known, and what is supported."""

import difflib
from pathlib import Path
from typing import Annotated, Any

import timm
import torch
from pydantic import Field
from timm.layers import Attention, PatchEmbed
from timm.models import PretrainedCfg, get_arch_pretrained_cfgs
from timm.models.vision_transformer import Block, VisionTransformer
from torch import nn

from gem.backbones.model_config import ConfigPart, Layers, Width, read_config
from gem.backbones.open_clip_model import built_of

CONFIG = "config.json"  # timm's own, of a model's folder
SUPPORTED = "supported are timm's own VisionTransformer with a class token and its plain blocks"
Side = Annotated[int, Field(ge=1, le=8192)]


class _Sizes(ConfigPart):
    """Sizes that make a model in finite time; timm checks the others."""

    img_size: Side | list[Side] | None = None
    patch_size: Annotated[int, Field(ge=1, le=1024)] | None = None
    embed_dim: Width | None = None
    depth: Layers | None = None
    reg_tokens: Annotated[int, Field(ge=0, le=1000)] | None = None
    mlp_ratio: Annotated[float, Field(gt=0, le=64)] | None = None


class _Statistics(ConfigPart):
    mean: Annotated[list[float], Field(min_length=3, max_length=3)] | None = None
    std: (
        Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=3, max_length=3)] | None
    ) = None


class _File(_Statistics):
    architecture: str
    pretrained_cfg: _Statistics = _Statistics()
    model_args: _Sizes = _Sizes()


def folder_of(name: str) -> Path | None:
    """The folder that holds the model; None for one of timm's own."""
    return Path(name) if Path(name).is_dir() else None


def tags_of(name: str) -> dict[str, PretrainedCfg]:
    """What timm knows of the weights of a model, by their tags; of a folder nothing.

    Raises ValueError for a name that timm does not know.
    """
    if folder_of(name):
        return {}
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        close = difflib.get_close_matches(architecture, timm.list_models(), n=3)
        hint = f"; close are {', '.join(close)}" if close else ""
        raise ValueError(f"companion.model={name}: neither a folder nor a model of timm{hint}")
    known = get_arch_pretrained_cfgs(architecture)
    found = {key.partition(".")[2]: one for key, one in known.items() if one.has_weights}
    if tag and tag not in found:
        tags = ", ".join(found) or "none"
        raise ValueError(f"companion.model={name}: {architecture} has no tag {tag}, but: {tags}")
    return found


def new_vit(name: str, seed: int = 0) -> VisionTransformer:
    """An untrained model, float32, with the parameters of the seed; the caller's RNG is left alone.

    ``name`` may have a tag, whose statistics of channels and image size the model has. Raises
    ValueError for one that timm does not know, and for what is not supported.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed seeds the GPU too
        return _build(name)


def empty_vit(name: str) -> VisionTransformer:
    """The same without memory for parameters: its sizes can be read. Raises as `new_vit`."""
    with torch.device("meta"):
        return _build(name)


def _build(name: str) -> VisionTransformer:
    folder, _ = folder_of(name), tags_of(name)
    path = folder / CONFIG if folder else None
    if path:
        read_config(path, _File, part="companion")
    with built_of(path):
        model = timm.create_model(f"local-dir:{folder}" if folder else name, num_classes=0)
    _check_supported(name, model)
    return model.eval().requires_grad_(requires_grad=False)


def _check_supported(name: str, model: Any) -> None:
    """Raise ValueError, naming what is not supported."""
    if type(model) is not VisionTransformer:
        raise ValueError(
            f"companion.model={name} is of timm's class {type(model).__name__}; {SUPPORTED}"
        )
    reasons = {
        "no class token": model.cls_token is None,
        "attention pooling": model.attn_pool is not None,
        "no norm before its pooling": isinstance(model.norm, nn.Identity),
    }
    if found := [*(key for key, present in reasons.items() if present), *odd_parts(model)]:
        raise ValueError(f"companion.model={name} has {' and '.join(found)}; {SUPPORTED}")


def odd_parts(model: Any) -> list[str]:
    """What the walk through a VisionTransformer of timm does not know, in words."""
    reasons = _reasons(model) | _reasons_of_blocks(model)
    return [reason for reason, present in reasons.items() if present]


def _reasons(model: Any) -> dict[str, bool]:
    return {"no position embeddings": model.pos_embed is None} | odd_stem(model)


def odd_stem(model: Any) -> dict[str, bool]:
    """How the patches of a tower of timm could be made otherwise than by one convolution."""
    stem = model.patch_embed
    plain = type(stem) is PatchEmbed
    return {
        f"the stem {type(stem).__name__}": not plain,
        "patches that are not square": plain and len(set(stem.patch_size)) > 1,
        "images smaller than a patch": plain and min(stem.grid_size) < 1,
        "images of other than 3 channels": plain and stem.proj.in_channels != 3,
    }


def _reasons_of_blocks(model: Any) -> dict[str, bool]:
    blocks = list(model.blocks)
    plain = all(type(block) is Block for block in blocks)
    attentions = [block.attn for block in blocks] if plain else []
    return {
        "a custom block type": not plain,
        "a custom attention": any(type(attn) is not Attention for attn in attentions),
        "a norm inside its attention": any(
            not isinstance(getattr(attn, "norm", nn.Identity()), nn.Identity) for attn in attentions
        ),
        "gated attention": any(getattr(attn, "gate", None) is not None for attn in attentions),
    }
