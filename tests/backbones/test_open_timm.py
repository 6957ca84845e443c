"""Towers of timm within open_clip: the trace is timm's forward, the readout that of one patch."""

import pytest
import timm
import torch
from small_timm import POOLS, small_of, write_small_timm, write_timm
from timm.models.eva import Eva

import gem
from gem.backbones import OpenClip, TowerShape
from gem.backbones.eva_tower import odd_eva_parts
from gem.backbones.model_config import SUPPORTED
from gem.backbones.open_timm import readout_of
from gem.methods.method import blocks_read
from gem.patches import Patches

ROUNDING = 1e-5
UNPLACED = {"small_plain_eva", "small_siglip", "small_normed", "small_mean", "small_token"}


@pytest.fixture(scope="module", params=POOLS)
def model(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("timm") / request.param
    return small_of(write_small_timm(folder, request.param))


@pytest.fixture(scope="module")
def siglip(tmp_path_factory):
    return small_of(write_small_timm(tmp_path_factory.mktemp("siglip") / "model", "small_siglip"))


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def difference(ours, reference):
    assert ours.shape == reference.shape
    return float((ours - reference).abs().max() / reference.abs().max())


def test_the_trace_is_timms_forward_and_pooling(model):
    visual, images = model.towers.visual, noise(2, 3, 40, 40)
    trace = model.trace(images, keep=2)
    with torch.inference_mode():
        last = visual.trunk.norm(trace.final)
        assert difference(last, visual.trunk.forward_features(images)) <= ROUNDING
        assert difference(visual.head(visual.trunk.forward_head(last)), visual(images)) <= ROUNDING


@pytest.mark.parametrize("size", [(24, 64), (80, 48)])
def test_other_sizes_are_timms_own_with_antialias(size, model):
    """Against the same model, set to that size by timm."""
    images, trunk = noise(2, 3, *size), small_of(model.model).towers.visual.trunk
    trace = model.trace(images, keep=1)
    assert trace.grid == (size[0] // 8, size[1] // 8)
    trunk.set_input_size(size)
    with torch.inference_mode():
        found = model.towers.visual.trunk.norm(trace.final)
        assert difference(found, trunk.forward_features(images)) <= ROUNDING


def test_an_image_of_one_patch_is_its_readout(model):
    """What pool and head make of it: attention over one token reads its value."""
    visual = model.towers.visual
    trunk = visual.trunk
    stream = noise(3, trunk.num_prefix_tokens + 1, 48)
    with torch.inference_mode():
        if trunk.global_pool == "token":
            stream[:, 0] = stream[:, 1]  # the class token is what is pooled
        normed = trunk.norm(stream)
        if trunk.attn_pool is not None or trunk.global_pool == "avg":
            normed = normed[:, -1:].expand(-1, trunk.num_prefix_tokens + 1, -1)
        pooled = visual.head(trunk.forward_head(normed))
        found = readout_of(visual)(trunk.norm(stream)[:, -1:])[:, 0]
    assert difference(found, pooled) <= ROUNDING


def test_the_shape_in_the_config_is_that_of_the_tower(model):
    fresh = OpenClip(model=model.model, device="cpu")
    assert fresh.shape == model.towers.shape
    assert "towers" not in vars(fresh)
    wide, name = fresh.shape.embedding, model.model.rpartition("/")[2]
    token = name not in {"small_siglip", "small_normed", "small_mean"}
    assert fresh.shape == TowerShape(5, 8, wide, class_token=token)
    trace = model.trace(noise(1, 3, 40, 40), keep=5)
    assert trace.project(trace.final).shape == (1, 25, wide)
    assert trace.layers[0].q.shape == (1, 4, 25 + token, 12)


def test_the_walk_leaves_the_model_as_it_is(model):
    before = {key: value.clone() for key, value in model.towers.model.state_dict().items()}
    first = model.trace(noise(1, 3, 40, 40), keep=1).final
    model.trace(noise(1, 3, 24, 64), keep=1)
    assert torch.equal(model.trace(noise(1, 3, 40, 40), keep=1).final, first)
    after = model.towers.model.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


METHODS = [
    gem.Clip(), gem.MaskClip(), gem.MaskClip(residual=True, mlp=True), gem.ClipSurgery(blocks=3),
    gem.Gem(), gem.Sclip(), gem.ClearClip(), gem.Naclip(), gem.Naclip(nonly=True), gem.Pearl(),
    gem.ResClip(layers=(2, 3)), gem.ItaclipAttention(layers=(1, 3)),
]  # fmt: skip
WAY = {"middle": 3, "early": 1, "levels": (2, 4)}
WITH_TOKEN = [gem.ScClip(**WAY, neighbours=6), gem.Sfp(**WAY)]


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.title)
def test_every_method_runs(method, model):
    segmenter = Patches(backbone=model, method=method)
    segmenter.check([])
    (one,) = segmenter.encode(noise(1, 3, 40, 56))
    assert one.features.shape == (1, 5, 7, model.shape.embedding)
    assert one.features.isfinite().all()


@pytest.mark.parametrize("method", WITH_TOKEN, ids=lambda one: one.title)
def test_methods_that_read_the_class_token_say_so(method, model):
    segmenter = Patches(backbone=model, method=method)
    if model.shape.class_token:
        segmenter.check([])
        assert segmenter.encode(noise(1, 3, 40, 56))[0].features.isfinite().all()
        return
    said = f"^{method.title} reads the class token, and the image tower has none$"
    for refused in (segmenter.check, lambda _: blocks_read(method, model.shape)):
        with pytest.raises(ValueError, match=said):
            refused([])
    with pytest.raises(ValueError, match=said):
        segmenter.encode(noise(1, 3, 40, 56))


def test_a_method_over_patches_alone_is_naive(siglip):
    """NACLIP on a tower without a class token: the equation, for patches only."""
    trace = siglip.trace(noise(1, 3, 24, 32), keep=1)
    layer = trace.layers[0]
    places = torch.cartesian_prod(torch.arange(3.0), torch.arange(4.0))
    window = (-(torch.cdist(places, places) ** 2) / 50).exp()
    weights = (layer.k @ layer.k.mT / layer.k.shape[-1] ** 0.5 + window).softmax(dim=-1)
    expected = trace.project(layer.write(weights @ layer.v))
    assert difference(gem.Naclip()(trace), expected) <= ROUNDING


EVA = {"img_size": 40, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 4}


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, []),
        ({"use_rot_pos_emb": True}, []),
        ({"use_abs_pos_emb": False, "use_rot_pos_emb": True}, ["no position embeddings"]),
        (
            {"use_rot_pos_emb": True, "rope_type": "mixed"},
            ["rotary embeddings of another kind"],
        ),
        ({"use_post_norm": True}, ["blocks with their norms behind"]),
        ({"attn_type": "rope", "num_kv_heads": 2, "qkv_fused": False}, ["shared keys"]),
    ],
)
def test_parts_of_eva_that_the_walk_does_not_know_are_named(changes, reasons):
    assert odd_eva_parts(Eva(**EVA, **changes)) == reasons


def test_gated_attention_is_named():
    model = Eva(**EVA, attn_type="rope")
    model.blocks[1].attn.gate = torch.nn.Linear(48, 48)
    assert odd_eva_parts(model) == ["gated attention"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("convnext_base", "a tower of timm's class ConvNeXt"),
        ("ViTamin-B", "the stem HybridEmbed"),
        ("EVA02-E-14", "blocks with their norms behind"),
        ("vit_relpos_medium_patch16_cls_224", "a tower of timm's class VisionTransformerRelPos"),
    ],
)
def test_other_towers_are_named(name, reason):
    with pytest.raises(ValueError) as caught:
        _ = OpenClip(model=name, device="cpu").shape
    assert str(caught.value) == f"backbone.model={name} has {reason}; {SUPPORTED}"


def test_a_tower_that_timm_does_not_know(tmp_path):
    """Neither its name nor an address is looked for elsewhere."""
    folder = write_timm(tmp_path / "model", "small_siglip")
    path = folder / "open_clip_config.json"
    path.write_text(path.read_text().replace("small_siglip", "hf-hub:some/model"))
    said = f"^backbone.model={folder}: timm has no model hf-hub:some/model$"
    with pytest.raises(ValueError, match=said):
        _ = OpenClip(model=str(folder), device="cpu").shape


def test_registers_are_named(tmp_path, monkeypatch):
    folder = write_timm(tmp_path / "model", "small_mean")
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda *a, **k: create(*a, **k, reg_tokens=2))
    with pytest.raises(ValueError, match=r" has register tokens; supported are "):
        _ = OpenClip(model=str(folder), device="cpu").shape


def test_compiling_is_refused(tmp_path):
    folder = write_timm(tmp_path / "model", "small_siglip")
    with pytest.raises(ValueError) as caught:
        _ = OpenClip(model=str(folder), device="cpu", compile=True).towers
    said = f"backbone.compile=true: the tower of {folder} is of timm and not compiled"
    assert str(caught.value) == said


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stays_close(precision, model):
    images = noise(1, 3, 40, 40)
    rounded = small_of(model.model, precision=precision)
    for method in (gem.MaskClip(), gem.Gem()):
        (one,) = Patches(backbone=rounded, method=method).encode(images)
        (exact,) = Patches(backbone=model, method=method).encode(images)
        assert float((one.features * exact.features).sum(dim=-1).min()) > 0.98
