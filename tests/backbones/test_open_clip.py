"""The options of a backbone, its text side and its device."""

import json

import pytest
import torch
from conftest import write_config
from pydantic import ValidationError

from gem.backbones import Backbone, OpenClip, TowerShape
from gem.device import pick_device


def test_building_touches_nothing():
    """Neither the name nor the file is looked at before the first use."""
    OpenClip(model="no such model", weights="/no/such/file.pt", device="cuda:9")


@pytest.mark.parametrize(
    "wrong",
    [{"precision": "fp8"}, {"seed": -1}, {"seed": "1"}, {"quick_gelu": "yes"}, {"models": "x"}],
    ids=str,
)
def test_wrong_options(wrong):
    with pytest.raises(ValidationError):
        OpenClip(model="ViT-B-16", **wrong)


def test_every_promise_of_the_interface(small):
    assert (small.shape, small.torch_device.type) == (TowerShape(5, 8, 24), "cpu")
    promised = {name for name in vars(Backbone) if not name.startswith("_")}
    assert all(hasattr(small, name) for name in promised)


def test_the_models_own_channel_statistics(tmp_path):
    folder = write_config(tmp_path / "other")
    text = (folder / "open_clip_config.json").read_text()
    statistics = '{"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}'
    (folder / "open_clip_config.json").write_text(
        text.replace('"preprocess_cfg": {}', f'"preprocess_cfg": {statistics}')
    )
    backbone = OpenClip(model=str(folder), device="cpu")
    assert (backbone.mean, backbone.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))


def test_a_tags_channel_statistics(monkeypatch):
    """laion2b_s32b_b82k of ViT-L-14 was trained on [-1, 1], unlike all its neighbours."""
    from gem.backbones import open_clip_model

    made = {}
    monkeypatch.setattr(open_clip_model.open_clip, "create_model", lambda *_, **k: made.update(k))
    rest = {"device": torch.device("cpu"), "precision": "fp32", "seed": 0}
    with pytest.raises(AttributeError):  # no model comes out
        open_clip_model.new_model("ViT-L-14", "laion2b_s32b_b82k", quick_gelu=False, **rest)
    assert made["force_preprocess_cfg"] == {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}


def test_text_is_the_models_own_and_of_unit_length(small):
    from open_clip import get_tokenizer

    prompts = ["a photo of a cat", "a photo of a dog"]
    tokens = get_tokenizer("ViT-B-16", context_length=16)(prompts)
    own = small.towers.model.encode_text(tokens, normalize=True)
    torch.testing.assert_close(small.embed(prompts), own)
    torch.testing.assert_close(small.embed(prompts).norm(dim=-1), torch.ones(2))


def test_many_prompts_are_one_by_one(small):
    prompts = [f"word {number}" for number in range(300)]
    found = small.embed(prompts)
    assert found.shape == (300, 24)
    torch.testing.assert_close(found[299:], small.embed(prompts[299:]))


def test_a_prompt_that_is_too_long(small):
    """16 tokens with start and end: 14 words fit, 15 do not; open_clip would cut in silence."""
    small.embed(["cat " * 14])
    with pytest.raises(ValueError) as caught:
        small.embed(["a cat", "cat " * 15])
    said = f"the prompt {'cat ' * 15!r} has 15 tokens, but the text tower reads 14"
    assert str(caught.value) == said


def test_auto_is_a_device_that_works():
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["cuda:99", "xpu", "gpu", ""])
def test_a_device_that_is_not_there(name):
    with pytest.raises(ValueError, match=f"^backbone.device={name} is not available: .+"):
        pick_device(name)


def test_text_in_half_precision_stays_close(folder, small):
    rounded = OpenClip(model=str(folder), weights="embedded", device="cpu", precision="bf16")
    found = rounded.embed(["a photo of a cat"])
    assert found.dtype == torch.float32
    assert float(found @ small.embed(["a photo of a cat"]).T) > 0.999


@pytest.mark.parametrize("change", [{}, {"layers": 2}, {"patch_size": 10}, {"width": 32}], ids=str)
def test_the_shape_in_the_config_is_that_of_the_tower(change, tmp_path):
    backbone = OpenClip(model=str(write_config(tmp_path / "model", **change)), device="cpu")
    shape = backbone.shape
    assert "towers" not in vars(backbone)
    assert shape == backbone.towers.shape


def test_the_shape_of_a_config_that_leaves_it_to_open_clip(tmp_path):
    """Its own defaults: 12 blocks, patches of 16."""
    folder = write_config(tmp_path / "model", image_size=32)
    path = folder / "open_clip_config.json"
    config = json.loads(path.read_text())
    for name in ("layers", "patch_size"):
        del config["model_cfg"]["vision_cfg"][name]
    path.write_text(json.dumps(config))
    backbone = OpenClip(model=str(folder), device="cpu")
    assert backbone.shape == backbone.towers.shape == TowerShape(12, 16, 24)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        ("ViT-B-16", (12, 16, 512)),
        ("ViT-B-32-quickgelu", (12, 32, 512)),
        ("ViT-L-14-336", (24, 14, 768)),
        ("ViT-bigG-14", (48, 14, 1280)),
        ("tiny", (6, 8, 128)),
    ],
)
def test_shapes_of_well_known_towers(model, shape):
    backbone = OpenClip(model=model, weights="no such tag", device="cuda:9")
    assert backbone.shape == TowerShape(*shape)


def test_a_model_without_a_shape_is_named():
    with pytest.raises(ValueError, match=r"^backbone\.model=RN50 has a ResNet image tower; "):
        _ = OpenClip(model="RN50").shape
