"""Every architecture of configs/backbone, on the meta device: its shapes, and those of its walk."""

from pathlib import Path

import pytest
import torch
import yaml
from conftest import REPOSITORY
from open_clip.pretrained import get_pretrained_cfg

import gem
from gem.backbones import OpenClip, TowerShape
from gem.backbones.clip_tower import ClipTower
from gem.backbones.model_config import config_of
from gem.backbones.open_timm import empty_visual, tower_of, visual_shape

CONFIGS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(Path(REPOSITORY / "configs" / "backbone").glob("*.yaml"))
    if path.stem != "tiny"
}
OPEN_CLIP = {name: one for name, one in CONFIGS.items() if one["_target_"] == "gem.OpenClip"}
SHAPES = {
    "clip_vit_l14_336": (24, 14, 768), "openclip_vit_h14": (32, 14, 1024),
    "openclip_vit_bigg14": (48, 14, 1280), "datacomp_vit_b16": (12, 16, 512),
    "datacomp_vit_l14": (24, 14, 768), "dfn_vit_b16": (12, 16, 512), "dfn_vit_l14": (24, 14, 768),
    "dfn_vit_h14": (32, 14, 1024), "clipa_vit_l14": (24, 14, 768),
    "siglip_vit_b16": (12, 16, 768, False), "siglip_vit_so400m": (27, 14, 1152, False),
    "siglip2_vit_b16": (12, 16, 768, False), "siglip2_vit_l16": (24, 16, 1024, False),
    "siglip2_vit_so400m": (27, 16, 1152, False), "eva02_vit_b16": (12, 16, 512),
    "eva02_vit_l14": (24, 14, 768), "blip_vit_b16": (12, 16, 256), "blip_vit_l16": (24, 16, 256),
}  # fmt: skip
META = torch.device("meta")


def visual_of(name):
    """The image tower that open_clip builds for it, without memory."""
    config = config_of(name)
    if config["vision_cfg"].get("timm_model_name"):
        return empty_visual(name, config)
    from open_clip.model import _build_vision_tower

    with META:
        return _build_vision_tower(config["embed_dim"], config["vision_cfg"])


def walked(visual, images):
    """The trace that our walk leaves, without a number being computed."""
    if not hasattr(visual, "trunk"):
        return ClipTower(visual, "antialias").trace(images, keep=1)
    tower = tower_of(
        visual, provenance=None, device=META, dtype=torch.float32, positions="antialias"
    )
    return tower.trace(images, keep=1)


@torch.inference_mode()
@pytest.mark.parametrize("name", OPEN_CLIP)
def test_the_walk_fits_the_architecture(name):
    """At a size that is not the trained one: the shapes of the stream, the heads, the features."""
    config = OPEN_CLIP[name]
    shape, visual = OpenClip(model=config["model"]).shape, visual_of(config["model"])
    side = shape.patch_size
    trace = walked(visual, torch.empty(1, 3, 5 * side, 7 * side, device=META))
    assert (trace.grid, trace.depth) == ((5, 7), shape.num_blocks)
    assert trace.project(trace.final).shape == (1, 35, shape.embedding)
    layer = trace.layers[0]
    assert layer.resid.shape[1] == layer.q.shape[2] == 35 + shape.class_token
    if hasattr(visual, "trunk"):
        assert visual_shape(visual) == shape


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_of_the_towers(name):
    config = CONFIGS[name]
    kind, options = getattr(gem, config["_target_"].removeprefix("gem.")), {}
    if kind is gem.Blip:
        options = {"weights": None}
    assert kind(model=config["model"], **options).shape == TowerShape(*SHAPES[name])


@pytest.mark.parametrize("name", OPEN_CLIP)
def test_the_tags_exist_and_have_this_activation(name):
    config = OPEN_CLIP[name]
    tag = get_pretrained_cfg(config["model"], config["weights"])
    assert tag
    assert tag.get("quick_gelu", False) == config["quick_gelu"]


@pytest.mark.parametrize("name", ["blip_vit_b16", "blip_vit_l16"])
def test_blip_on_the_meta_device(name):
    """The sizes of the release: 224 million parameters in B, 446 million in L."""
    import transformers

    backbone = gem.Blip(model=CONFIGS[name]["model"], weights=None)
    with META:
        model = transformers.BlipForImageTextRetrieval(backbone.config)
    vision = model.vision_model
    assert len(vision.encoder.layers) == backbone.shape.num_blocks
    assert vision.embeddings.position_embedding.shape[1] == 24**2 + 1
    count = sum(value.numel() for value in model.parameters())
    assert round(count / 1e6) == {"blip_vit_b16": 224, "blip_vit_l16": 446}[name]


def test_no_config_is_left_out():
    older = {"clip_vit_b16", "clip_vit_b32", "clip_vit_l14"}
    older |= {
        f"{family}_vit_{size}"
        for family in ("openclip", "metaclip")
        for size in ("b16", "b32", "l14")
    }
    assert older | set(SHAPES) <= set(CONFIGS)
