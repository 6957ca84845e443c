"""Small image towers of timm, and folders of open_clip models that have them."""

import json

from conftest import roughen
from safetensors.torch import save_file
from timm.models import build_model_with_cfg, register_model
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer

from gem.backbones import OpenClip

SIZES = {"img_size": 40, "patch_size": 8, "embed_dim": 48, "depth": 5, "num_heads": 4}


def built(kind, name, given, **changes):
    """As every model of timm is: its own sizes under what `create_model` is given."""
    return build_model_with_cfg(kind, name, **{"pretrained": False, **SIZES, **changes, **given})


@register_model
def small_siglip(**given):
    """No class token, pooled by attention, as all of SigLIP."""
    return built(VisionTransformer, "small_siglip", given, class_token=False, global_pool="map")


@register_model
def small_normed(**given):
    """Queries and keys normalised, layer scales, an inner width that is no multiple."""
    return built(
        VisionTransformer, "small_normed", given, class_token=False, global_pool="map",
        qk_norm=True, init_values=0.3, mlp_ratio=3.7362,
    )  # fmt: skip


@register_model
def small_mean(**given):
    """No class token, the mean of the patches, normalised behind it."""
    return built(VisionTransformer, "small_mean", given, class_token=False, global_pool="avg")


@register_model
def small_token(**given):
    """A class token that is pooled, and a norm before the first block, as CLIP."""
    return built(VisionTransformer, "small_token", given, pre_norm=True)


EVA = {
    "mlp_ratio": 4 * 2 / 3,
    "swiglu_mlp": True,
    "use_rot_pos_emb": True,
    "ref_feat_shape": (5, 5),
}


@register_model
def small_eva(**given):
    """EVA-02 of EVA-CLIP: rotary positions, norms inside of attention and MLP."""
    inner = {"qkv_fused": False, "scale_mlp": True, "scale_attn_inner": True}
    return built(Eva, "small_eva", given, global_pool=given.pop("global_pool"), **EVA, **inner)


@register_model
def small_fused_eva(**given):
    """EVA-02 as it was before CLIP: one weight for queries, keys and values."""
    return built(Eva, "small_fused_eva", given, init_values=0.2, **EVA)


@register_model
def small_plain_eva(**given):
    """EVA-01, which turns nothing."""
    return built(Eva, "small_plain_eva", given)


@register_model
def small_half_eva(**given):
    """Pairs to turn are the halves of a head; attention as of timm's Perception Encoder."""
    return built(Eva, "small_half_eva", given, attn_type="rope", rope_rotate_half=True, **EVA)


POOLS = {
    "small_siglip": ("map", "none"), "small_normed": ("map", "none"),
    "small_mean": ("avg", "linear"), "small_token": ("token", None), "small_eva": ("token", None),
    "small_fused_eva": ("avg", "mlp"), "small_plain_eva": ("token", "linear"),
    "small_half_eva": ("token", "linear"),
}  # fmt: skip
"""How open_clip pools and projects each of them."""


def write_timm(folder, tower, text=None):
    """The folder of a model with a tower of timm, without weights."""
    pool, proj = POOLS[tower]
    config = {
        "embed_dim": 48 if proj == "none" else 24,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 40, "timm_model_name": tower, "timm_model_pretrained": False,
            "timm_pool": pool, "timm_proj": proj,
        },
        "text_cfg": text
        or {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": {}}), encoding="utf-8"
    )
    return folder


def write_small_timm(folder, tower, text=None):
    """The same with weights in which no part is 0 or 1 by its init."""
    write_timm(folder, tower, text)
    model = OpenClip(model=str(folder), device="cpu", seed=3).towers.model
    roughen(model)
    save_file(model.state_dict(), folder / "model.safetensors")
    return folder


def small_of(folder, **changes):
    options = {"model": str(folder), "weights": "embedded", "device": "cpu"}
    return OpenClip(**options | changes)
