"""A model object of the user's own: the same numbers as the model by its name."""

import open_clip
import pytest
import torch
from torch import nn

import gem
from gem.backbones import OpenClip
from gem.backbones.loaded import LoadedClip


@pytest.fixture(scope="module")
def model(folder):
    """As users load it."""
    found, _, _ = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    return found.eval()


def test_it_is_the_model_of_the_folder(model, folder, images):
    own, named = LoadedClip(model), OpenClip(model=str(folder), weights="embedded", device="cpu")
    assert (own.shape, own.mean, own.std) == (named.shape, named.mean, named.std)
    assert (own.torch_device, own.text_key) == (torch.device("cpu"), None)
    words = ["a cat", "a photo of two dogs"]
    torch.testing.assert_close(own.embed(words), named.embed(words))
    for one, other in zip(own.trace(images, 2).layers, named.trace(images, 2).layers, strict=True):
        torch.testing.assert_close(one.resid, other.resid)


def test_it_is_ready_to_ground_words(model, folder, images):
    picture = images[0].sigmoid()
    found = gem.load(model, short_side=40).heatmaps(picture, "a cat")
    named = gem.load(str(folder), "embedded", device="cpu", short_side=40)
    torch.testing.assert_close(found, named.heatmaps(picture, "a cat"))


def test_its_origin_is_its_parameters(model):
    own = LoadedClip(model)
    assert (own.provenance.source, own.provenance.random) == ("given in Python", False)
    assert own.provenance == LoadedClip(model).provenance
    with torch.no_grad():
        before = model.visual.proj[0, 0].item()
        model.visual.proj[0, 0] += 1
        assert LoadedClip(model).provenance != own.provenance
        model.visual.proj[0, 0] = before


def test_it_stays_where_and_as_it_is(model):
    state = {name: value.clone() for name, value in model.state_dict().items()}
    LoadedClip(model).unload()
    assert model.state_dict().keys() == state.keys()
    assert all(torch.equal(model.state_dict()[name], value) for name, value in state.items())


def test_half_precision_is_kept(model, images):
    import copy

    half = LoadedClip(copy.deepcopy(model).bfloat16())
    assert half.trace(images, 1).layers[0].resid.dtype == torch.bfloat16


@pytest.mark.parametrize("given", [{"weights": "openai"}, {"device": "cpu"}, {"precision": "bf16"}])
def test_what_contradicts_the_model(model, given):
    with pytest.raises(ValueError, match=r"of a model that is loaded already are its own$"):
        gem.load(model, **given)


def test_what_is_no_model_of_open_clip():
    with pytest.raises(TypeError, match=r"^a model of the type Linear, expected a name, a folder"):
        gem.load(nn.Linear(2, 2))
    resnet = open_clip.create_model("RN50", load_weights=False)
    with pytest.raises(TypeError, match=r"^its image tower is a ModifiedResNet, expected a Vision"):
        gem.load(resnet)


def test_a_tokenizer_of_another_kind(model, monkeypatch):
    monkeypatch.setattr(model, "vocab_size", 95)
    with pytest.raises(ValueError, match=r"give tokenizer=open_clip\.get_tokenizer\(NAME\)$"):
        LoadedClip(model)
    own = open_clip.SimpleTokenizer(context_length=model.context_length)
    assert LoadedClip(model, own).embed(["a cat"]).shape == (1, 24)
