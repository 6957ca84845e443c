"""A tower of timm against timm's own forward, and what is refused."""

import json
import re

import pytest
import timm
import torch
import torch.nn.functional as F
from companions import STATISTICS, companion_of, write_companion, write_folder
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from gem.backbones import TimmVit, TowerShape
from gem.tower import Companion

ROUNDING = 1e-5
KINDS = {
    "plain": {},
    "scaled": {"init_values": 0.1, "qk_norm": True},
    "registers": {"reg_tokens": 2, "init_values": 0.1, "no_embed_class": True},
    "placed registers": {"reg_tokens": 3, "pre_norm": True},
    "no bias": {"qkv_bias": False},
}


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory):
    return write_companion(tmp_path_factory.mktemp("timm") / "vit", **KINDS[request.param])


@pytest.fixture
def plain(tmp_path):
    return write_companion(tmp_path / "plain")


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def native(folder, images, **changes):
    """What timm itself makes of images: its patch tokens behind the final norm."""
    model = timm.create_model(f"local-dir:{folder}", num_classes=0, **changes).eval()
    state = load_file(folder / "model.safetensors")
    model.load_state_dict({**state, "pos_embed": changes.get("pos", state["pos_embed"])})
    with torch.inference_mode():
        return model.forward_features(images)[:, model.num_prefix_tokens :]


def features(companion, images, keep=1):
    trace = companion.trace(images, keep)
    return trace.project(trace.final)


def difference(ours, reference):
    assert ours.shape == reference.shape
    return float((ours - reference).abs().max() / reference.abs().max())


def test_the_features_are_timms_own(folder):
    images = noise(2, 3, 24, 24)
    assert difference(features(companion_of(folder), images), native(folder, images)) <= ROUNDING


@pytest.mark.parametrize("size", [(32, 48), (12, 40)])
def test_other_sizes_are_timms_own_with_antialias(size, folder):
    images = noise(2, 3, *size)
    expected = native(folder, images, dynamic_img_size=True)
    found = features(companion_of(folder, positions="antialias"), images)
    assert difference(found, expected) <= ROUNDING


def test_other_sizes_with_dinos_own_positions(folder):
    """Sampled by factors of (side + 0.1) / side: a model of that size with such embeddings."""
    images, companion = noise(1, 3, 32, 48), companion_of(folder)
    model = timm.create_model(f"local-dir:{folder}", num_classes=0, img_size=(32, 48)).eval()
    state = load_file(folder / "model.safetensors")
    count = 0 if model.no_embed_class else model.num_prefix_tokens
    own, places = state["pos_embed"].split([count, 36], dim=1)
    plane = places.reshape(1, 6, 6, 32).permute(0, 3, 1, 2)
    plane = F.interpolate(plane, scale_factor=(8.1 / 6, 12.1 / 6), mode="bicubic")
    resized = torch.cat([own, plane.permute(0, 2, 3, 1).reshape(1, 96, 32)], dim=1)
    model.load_state_dict(state | {"pos_embed": resized})
    with torch.inference_mode():
        expected = model.forward_features(images)[:, model.num_prefix_tokens :]
    assert difference(features(companion, images), expected) <= ROUNDING
    other = features(companion_of(folder, positions="bilinear"), images)
    assert difference(other, expected) > 100 * ROUNDING


def test_the_trace_knows_its_blocks_and_grid(plain):
    companion, images = companion_of(plain), noise(1, 3, 24, 32)
    trace = companion.trace(images, keep=2)
    assert (len(trace.layers), trace.depth, trace.grid) == (2, 3, (6, 8))
    assert trace.layers[-1].q.shape == (1, 4, 49, 8)
    assert torch.equal(features(companion, images, keep=3), features(companion, images, keep=1))


def test_every_promise_of_the_interface(plain):
    companion = companion_of(plain)
    promised = {name for name in vars(Companion) if not name.startswith("_")}
    assert all(hasattr(companion, name) for name in promised)
    assert companion.torch_device.type == "cpu"
    assert (companion.mean, companion.std) == tuple(map(tuple, STATISTICS.values()))
    assert companion.shape == companion.tower.shape == TowerShape(3, 4, 32)


def test_building_and_sizes_touch_no_weights():
    companion = TimmVit(model="vit_base_patch14_dinov2", weights="/no/such.pth", device="cuda:9")
    assert companion.shape == TowerShape(12, 14, 768)
    assert companion.mean == (0.485, 0.456, 0.406)
    assert "tower" not in vars(companion)


@pytest.mark.parametrize("wrong", [{"precision": "fp8"}, {"seed": -1}, {"positions": "x"}], ids=str)
def test_wrong_options(wrong):
    with pytest.raises(ValidationError):
        TimmVit(model="vit_base_patch8_224", **wrong)


def test_random_weights_are_those_of_the_seed_and_leave_the_generator_alone(plain):
    before = torch.get_rng_state()
    one, same, other = (
        features(companion_of(plain, weights=None, seed=seed), noise(1, 3, 24, 24))
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


def test_half_precision_stays_close(plain):
    images = noise(1, 3, 24, 24)
    rounded = features(companion_of(plain, precision="bf16"), images)
    assert rounded.dtype == torch.bfloat16
    assert difference(rounded.float(), features(companion_of(plain), images)) < 0.1


def test_unloading_frees_the_model_and_it_comes_back(plain):
    companion, images = companion_of(plain), noise(1, 3, 24, 24)
    before = features(companion, images)
    companion.unload()
    assert "tower" not in vars(companion)
    assert torch.equal(features(companion, images), before)


@pytest.mark.parametrize("loaded", [True, False])
def test_where_its_numbers_come_from(loaded, plain, tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes((plain / "model.safetensors").read_bytes())
    companion = companion_of(plain, weights=str(path))
    if loaded:
        _ = companion.tower
    found, same = companion.provenance, companion_of(plain).provenance
    assert (found.model, found.source, same.source) == ("plain", "mine.safetensors", "embedded")
    assert (found.sha256, found.config) == (same.sha256, same.config)
    assert len(found.config) == 12
    assert companion_of(plain, weights=None, seed=4).provenance.source == "random, seed 4"


def test_what_tables_call_it(plain):
    names = [
        companion_of(plain), companion_of(plain, weights=None),
        TimmVit(model="vit_base_patch8_224.dino", weights="dino"),
        TimmVit(model="vit_base_patch8_224", weights="dino"),
        TimmVit(model="vit_base_patch8_224.dino", weights="/data/mine.pth"),
    ]  # fmt: skip
    assert list(map(str, names)) == [
        "plain", "plain:random", "vit_base_patch8_224.dino", "vit_base_patch8_224:dino",
        "vit_base_patch8_224.dino:mine",
    ]  # fmt: skip


def sentence(**options):
    companion = TimmVit(device="cpu", **options)
    with pytest.raises((ValueError, OSError)) as caught:
        _ = companion.shape, companion.tower
    return str(caught.value)


SUPPORTED = "; supported are timm's own VisionTransformer with a class token and its plain blocks"


@pytest.mark.parametrize(
    ("architecture", "said"),
    [
        ("vit_small_patch16_dinov3", "is of timm's class Eva"),
        ("deit_tiny_distilled_patch16_224", "is of timm's class VisionTransformerDistilled"),
        ("vit_base_patch16_siglip_224", "has no class token and attention pooling"),
        ("resnet18", "is of timm's class ResNet"),
        ("vit_base_r50_s16_224", "has the stem HybridEmbed"),
        ("vit_small_patch16_18x2_224", "has a custom block type"),
    ],
)
def test_what_is_not_supported(architecture, said):
    assert sentence(model=architecture) == f"companion.model={architecture} {said}{SUPPORTED}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class_token": False, "global_pool": "avg"}, "no class token and no norm before its"),
        ({"pos_embed": "none"}, "no position embeddings"),
        ({"global_pool": "avg"}, "no norm before its pooling"),
        ({"scale_attn_norm": True}, "a norm inside its attention"),
        ({"patch_size": 32}, "images smaller than a patch"),
        ({"in_chans": 4}, "images of other than 3 channels"),
        ({"attn_layer": "diff"}, "a custom attention"),
    ],
    ids=str,
)
def test_what_is_not_supported_in_a_folder(changes, said, tmp_path):
    folder = write_folder(tmp_path / "odd", **changes)
    assert f"odd has {said}" in sentence(model=str(folder))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"depth": 10**9}, "model_args.depth: input should be less than or equal to 1000"),
        ({"embed_dim": "wide"}, "model_args.embed_dim: input should be a valid integer"),
        (
            {"statistics": {"std": [1, 1, 0]}},
            "pretrained_cfg.std.2: input should be greater than 0",
        ),
        (
            {"statistics": {"mean": [1, 1]}},
            "pretrained_cfg.mean: list should have at least 3 items",
        ),
        ({"num_heads": 5}, "no model can be built of .*config.json: "),
        ({"block_fn": "os.system"}, "no model can be built of .*config.json: "),
        ({"architecture": "vit_none"}, "no model can be built of .*: Unknown model .vit_none."),
    ],
    ids=str,
)
def test_a_config_that_no_model_can_be_built_of(changes, said, tmp_path):
    folder = write_folder(tmp_path / "odd", **changes)
    assert re.search(said, sentence(model=str(folder)))


def test_a_folder_without_a_config(tmp_path):
    said = f"companion.model={tmp_path}: the folder has no config.json"
    assert sentence(model=str(tmp_path)) == said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "vit_base_patch8_24"}, ("companion.model=vit_base_patch8_24: neither a folder "
         "nor a model of timm; close are vit_base_patch8_224, ")),
        ({"model": "vit_base_patch8_224.dinoo"}, ("companion.model=vit_base_patch8_224.dinoo: "
         "vit_base_patch8_224 has no tag dinoo, but: augreg2_in21k_ft_in1k, ")),
        ({"model": "vit_base_patch8_224", "weights": "lvd142m"}, ("companion.weights=lvd142m: "
         "neither a .safetensors or .pt file nor a tag of vit_base_patch8_224, which has: aug")),
        ({"model": "vit_base_patch8_224.dino", "weights": "augreg_in21k"}, ("companion.weights="
         "augreg_in21k, but companion.model=vit_base_patch8_224.dino names dino")),
        ({"model": "vit_base_patch8_224", "weights": "/no.pth"},
         "companion.weights=/no.pth: there is no such file"),
        ({"model": "vit_base_patch8_224", "weights": "embedded"}, ("companion.weights=embedded: "
         "vit_base_patch8_224 comes without weights in its folder")),
        ({"model": "vit_base_patch14_dinov2", "weights": "lvd142m"}, ("the weights lvd142m of "
         "vit_base_patch14_dinov2 are not on this machine and ")),
    ],
    ids=str,
)  # fmt: skip
def test_names_and_tags(options, said):
    assert sentence(**options).startswith(said)


def test_a_file_does_not_say_how_images_were_normalised(tmp_path):
    path = tmp_path / "dino.safetensors"
    path.write_bytes(b"")
    found = sentence(model="vit_base_patch8_224", weights=str(path))
    assert found == (
        f"companion.weights={path}: a file does not say how its images were normalised; give "
        "companion.model=vit_base_patch8_224 the tag of its training, one of "
        "augreg2_in21k_ft_in1k, augreg_in21k_ft_in1k, augreg_in21k, dino"
    )


def test_weights_of_a_tag_are_looked_for_where_timm_has_them(monkeypatch):
    from gem.backbones import timm_loading, weights

    asked = []
    monkeypatch.setattr(weights, "cached", lambda *one: asked.append(one))
    with pytest.raises(ConnectionError, match=r"or companion\.weights=null for"):
        timm_loading.resolve("vit_base_patch8_224.dino", "dino")
    assert asked[0] == ("timm/vit_base_patch8_224.dino", "model.safetensors")


def changed(folder, tmp_path, **changes):
    """What is said of the weights of a folder with some tensors changed, None to leave them out."""
    state = load_file(folder / "model.safetensors") | changes
    path = tmp_path / "changed.safetensors"
    save_file({key: value for key, value in state.items() if value is not None}, path)
    return path


def test_heads_of_the_training_are_left_out(plain, tmp_path):
    heads = {"head.weight": noise(5, 32), "fc_norm.bias": noise(32), "mask_token": noise(1, 32)}
    path = changed(plain, tmp_path, **heads)
    images = noise(1, 3, 24, 24)
    found = features(companion_of(plain, weights=str(path)), images)
    assert torch.equal(found, features(companion_of(plain), images))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"norm.bias": None}, "{0} does not hold a plain: it lacks norm.bias"),
        ({"norm.bias": noise(31)}, ("{0} does not hold a plain: norm.bias is (31,) in the file, "
         "(32,) in the model")),
        ({"more": noise(2)}, "{0} does not hold a plain: it has more, which the model lacks"),
        ({"norm.bias": noise(32).int()}, ("{0} does not hold a plain: norm.bias is of int32 in the "
         "file, expected float32, float16, bfloat16 or float64")),
        ({"norm.bias": noise(32) / 0}, ("{0}: norm.bias holds 32 values that are not finite "
         "(nan or infinite)")),
        ({"norm.bias": noise(32) * 1e6}, "which is infinite with companion.precision=fp16"),
    ],
    ids=str,
)  # fmt: skip
def test_weights_that_do_not_fit(changes, said, plain, tmp_path):
    path = changed(plain, tmp_path, **changes)
    found = sentence(model=str(plain), weights=str(path), precision="fp16")
    assert said.format(path) in found


def test_registers_as_dinov2_stores_them(tmp_path):
    """A position embedding for the class token, registers without one."""
    own = write_companion(tmp_path / "own", **KINDS["registers"])
    state = load_file(own / "model.safetensors")
    place = noise(1, 1, 32)
    theirs = {
        "register_tokens": state["reg_token"], "reg_token": None, "mask_token": noise(1, 32),
        "cls_token": state["cls_token"] - place,
        "pos_embed": torch.cat([place, state["pos_embed"]], dim=1),
    }  # fmt: skip
    path = changed(own, tmp_path, **theirs)
    images = noise(1, 3, 24, 24)
    found = features(companion_of(own, weights=str(path)), images)
    assert difference(found, features(companion_of(own), images)) <= ROUNDING


def test_another_config_of_the_same_weights_is_another_model(plain):
    before = companion_of(plain).provenance.config
    config = json.loads((plain / "config.json").read_text())
    config["pretrained_cfg"]["mean"] = [0, 0, 0]
    (plain / "config.json").write_text(json.dumps(config))
    assert companion_of(plain).provenance.config != before
