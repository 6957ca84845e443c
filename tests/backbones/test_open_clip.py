"""The options of a backbone, its text side and its device."""

import pytest
import torch
from conftest import write_config
from pydantic import ValidationError

from gem.backbones import Backbone, OpenClip
from gem.backbones.towers import pick_device


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
    assert (small.patch, small.blocks, small.torch_device.type) == (8, 5, "cpu")
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
    from gem.backbones import architecture

    made = {}
    monkeypatch.setattr(architecture.open_clip, "create_model", lambda *_, **k: made.update(k))
    options = OpenClip(model="ViT-L-14", weights="laion2b_s32b_b82k")
    with pytest.raises(AttributeError):  # no model comes out
        architecture.new_model(options, torch.device("cpu"), quick_gelu=False)
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
