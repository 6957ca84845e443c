"""From a name to an empty model: what is supported, and what is said of the rest."""

import json
import logging

import open_clip
import pytest
import torch
from conftest import SMALL, write_config, write_words

from gem.backbones import OpenClip
from gem.backbones.model_config import check_supported
from gem.backbones.tokenizer import new_tokenizer

SUPPORTED = (
    "supported are open_clip's own VisionTransformer, timm's and its EVA02, and open_clip's own "
    "text tower"
)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("RN50", "a ResNet image tower"),
        ("coca_ViT-B-32", "attention pooling and a caption decoder"),
        ("coca_base", "a caption decoder"),
        ("xlm-roberta-base-ViT-B-32", "a Hugging Face text tower"),
    ],
)
def test_unsupported_towers_are_named(name, reason):
    with pytest.raises(ValueError) as caught:
        OpenClip(model=name, device="cpu").embed(["a cat"])
    assert str(caught.value) == f"backbone.model={name} has {reason}; {SUPPORTED}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"qk_norm": True}, "q-k normalisation"),
        ({"scale_attn": True}, "scaled attention"),
        ({"block_type": "custom"}, "a custom block type"),
        ({"patch_size": [8, 4]}, "patches that are not square"),
        ({"pool_type": "none"}, "no pooling"),
    ],
)
def test_unsupported_blocks_are_named(change, reason, tmp_path):
    folder = write_config(tmp_path / "odd", **change)
    with pytest.raises(ValueError, match=f" has {reason}; "):
        _ = OpenClip(model=str(folder), device="cpu").towers


@pytest.mark.parametrize("name", ["ViT-B-16", "ViT-L-14-336-quickgelu", "ViT-bigG-14", "ViT-H-14"])
def test_plain_clip_is_supported(name):
    check_supported(name, open_clip.get_model_config(name))


def test_an_unknown_name_gets_suggestions():
    with pytest.raises(ValueError) as caught:
        _ = OpenClip(model="ViT-B16", device="cpu").towers
    start = "backbone.model=ViT-B16: neither a folder nor a model of open_clip; close are ViT-B-16"
    assert str(caught.value).startswith(start)


def test_a_name_like_nothing_gets_none():
    with pytest.raises(ValueError) as caught:
        _ = OpenClip(model="0000", device="cpu").towers
    assert str(caught.value) == "backbone.model=0000: neither a folder nor a model of open_clip"


def test_a_folder_without_a_config(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder has no open_clip_config\.json$"):
        _ = OpenClip(model=str(tmp_path), device="cpu").towers


def parameters(**options):
    return OpenClip(device="cpu", **options).towers.model.state_dict()


def test_random_weights_are_those_of_the_seed(folder):
    one, same, other = (parameters(model=str(folder), seed=seed) for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["visual.proj"], other["visual.proj"])


def test_the_callers_random_numbers_are_left_alone(folder):
    torch.manual_seed(7)
    undisturbed = torch.rand(3)
    torch.manual_seed(7)
    parameters(model=str(folder), seed=1)
    assert torch.equal(torch.rand(3), undisturbed)


def test_logging_is_left_as_it_was(tmp_path):
    """Also where open_clip fails."""
    folder = write_config(tmp_path / "broken", mlp_ratio="wide")
    with pytest.raises(ValueError, match="no model can be built"):
        _ = OpenClip(model=str(folder), device="cpu").towers
    assert logging.root.manager.disable == logging.NOTSET


def activation(backbone):
    model = backbone.towers.model
    return {type(part).__name__ for part in model.modules() if "GELU" in type(part).__name__}


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("given", [True, False, None])
def test_the_activation_is_the_one_given_or_the_models_own(own, given, tmp_path):
    folder = write_config(tmp_path / "model")
    config = {"model_cfg": SMALL | {"quick_gelu": own}, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    expected = own if given is None else given
    found = activation(OpenClip(model=str(folder), quick_gelu=given, device="cpu"))
    assert found == {"QuickGELU" if expected else "GELU"}


def test_whole_words_are_read_if_the_folder_lists_them(tmp_path):
    folder = write_words(tmp_path / "words", ["a", "photo", "of", "cat"])
    assert new_tokenizer(str(folder)).encode("a photo of a cat") == [1, 2, 3, 1, 4]


def test_byte_pairs_are_open_clips_own(folder):
    own = open_clip.get_tokenizer("ViT-B-16")
    assert new_tokenizer(str(folder)).encode("a photo of a dog") == own.encode("a photo of a dog")
