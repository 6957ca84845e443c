"""BLIP's files: folders of the hub, the original release, and what is broken."""

import json
import shutil
import sys

import pytest
import torch
from huggingface_hub import constants
from original_blip import write_original
from safetensors.torch import load_file, save_file
from small_blip import blip_of, small_model, write_blip
from small_words import save_list
from test_blip import PROMPTS, ROUNDING, difference, noise

from gem.backbones import TowerShape


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blip") / "small"
    write_blip(folder)
    return folder


@pytest.fixture(scope="module")
def library():
    """The same model as the library has it, not read from a file."""
    return small_model()


@pytest.fixture(scope="module")
def blip(folder):
    return blip_of(folder)


def sentence(make):
    with pytest.raises((ValueError, OSError)) as caught:
        make()
    return f"{type(caught.value).__name__}: {caught.value}"


def test_an_older_folder_has_a_list_of_words(folder, blip, tmp_path):
    copy = tmp_path / "small"
    copy.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(folder / name, copy)
    said = sentence(lambda: blip_of(copy).embed(PROMPTS))
    assert said == (
        f"FileNotFoundError: backbone.model={copy}: the folder has no tokenizer.json or vocab.txt"
    )
    save_list(copy)
    assert torch.equal(blip_of(copy).embed(PROMPTS), blip.embed(PROMPTS))


def of_file(folder, path, **changes):
    return blip_of(folder, weights=str(path), **changes)


def test_a_file_of_the_original_release(folder, library, blip, tmp_path):
    path = write_original(library, tmp_path / "model_base_14M.pth")
    found = of_file(folder, path)
    images = noise(1, 3, 40, 56)
    assert torch.equal(found.trace(images, keep=1).final, blip.trace(images, keep=1).final)
    assert torch.equal(found.embed(PROMPTS), blip.embed(PROMPTS))
    own = library.state_dict()
    assert all(torch.equal(own[key], value) for key, value in found.module.state_dict().items())
    assert found.provenance.source == "model_base_14M.pth"
    assert not found.provenance.random
    assert found.provenance.sha256 != blip.provenance.sha256


def test_such_a_file_says_how_large_its_images_were(folder, tmp_path):
    """That of pre-training has positions for 224 pixels, that of fine-tuning for 384."""
    model = small_model(image_size=56)
    found = of_file(folder, write_original(model, tmp_path / "b.pth"))
    images = noise(1, 3, 56, 56)
    with torch.inference_mode():
        own = model.vision_model(images).last_hidden_state
    normed = model.vision_model.post_layernorm(found.trace(images, keep=1).final)
    assert difference(normed, own) <= ROUNDING


def test_files_that_are_not_of_the_original_release(folder, library, tmp_path):
    path = tmp_path / "model.pth"
    claim = f"ValueError: {path} does not hold the original BLIP of these sizes: "

    def said(**changes):
        return sentence(lambda: of_file(folder, write_original(library, path, **changes)).towers)

    assert said(**{"visual_encoder.pos_embed": noise(1, 27, 48)}) == (
        f"{claim}visual_encoder.pos_embed has the shape (1, 27, 48), expected one row for the "
        "class and those of a square grid of patches"
    )
    found = said(**{"visual_encoder.norm.bias": torch.full((48,), torch.nan)})
    assert found.startswith(f"ValueError: {path}: vision_model.post_layernorm.bias holds 48 values")
    assert said(**{"text_proj.weight": noise(20, 32)}).startswith(f"{claim}text_proj.weight is (20")
    assert said(**{"visual_encoder.blocks.9.norm1.bias": noise(48)}) == (
        f"{claim}it has vision_model.encoder.layers.9.layer_norm1.bias, which the model lacks"
    )
    torch.save({"model": {}}, path)
    assert sentence(lambda: of_file(folder, path).towers).startswith(
        f"{claim}it lacks vision_model."
    )
    path.write_bytes(b"no weights")
    assert "cannot be read as model weights" in sentence(lambda: of_file(folder, path).towers)


def test_such_a_file_wants_the_words_of_bert(library, folder, tmp_path):
    path = write_original(library, tmp_path / "model.pth")
    shutil.copy(folder / "config.json", tmp_path)
    assert sentence(lambda: of_file(tmp_path, path).embed(PROMPTS)) == (
        "ConnectionError: the tokenizer bert-base-uncased is not on this machine and cannot be "
        f"downloaded from {constants.ENDPOINT} (HF_HUB_OFFLINE is set): give "
        "backbone.model=FOLDER, which has the model's config.json and BERT's vocab.txt"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weights": "/no/such.pth"},
         "FileNotFoundError: backbone.weights=/no/such.pth: there is no such file"),
        ({"weights": "coco"},
         "ValueError: backbone.weights=coco: expected published, null, or a .pth file of BLIP's"),
        ({"model": "blip-small", "weights": None},
         "ValueError: backbone.weights=null: the sizes of blip-small are not known, expected a "),
        ({"model": "blip-base"},
         "ValueError: backbone.model=blip-base: neither a folder nor a name of the hub"),
        ({"model": "Salesforce/blip-itm-base-coco"},
         "ConnectionError: Salesforce/blip-itm-base-coco is not on this machine and "),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_at_once(options, said, folder):
    for read in ("shape", "towers"):
        if read == "towers" or not options.get("weights"):
            model = blip_of(folder, **options)
            assert sentence(lambda model=model, read=read: getattr(model, read)).startswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "clip"}, "is of a clip, expected blip"),
        ({"vision_config": {"num_hidden_layers": "5"}}, "num_hidden_layers is '5', expected"),
        ({"vision_config": 3}, "num_hidden_layers is None, expected"),
        ({"image_text_hidden_size": 0}, "image_text_hidden_size is 0, expected a whole number"),
    ],
)  # fmt: skip
def test_a_config_that_is_none(change, said, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text()) | change
    (copy / "config.json").write_text(json.dumps(content))
    found = sentence(lambda: blip_of(copy).shape)
    assert found.startswith(f"ValueError: {copy / 'config.json'}")
    assert said in found


def test_weights_of_the_hub_that_are_not_whole(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    state = load_file(copy / "model.safetensors")
    del state["vision_proj.weight"]
    save_file(state, copy / "model.safetensors", metadata={"format": "pt"})
    assert "it lacks vision_proj.weight" in sentence(lambda: blip_of(copy).towers)


def test_without_the_package(folder, monkeypatch):
    """Sizes are known all the same."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert blip_of(folder).shape == TowerShape(5, 8, 24)
    assert sentence(lambda: blip_of(folder).towers) == (
        "ValueError: backbone: the package transformers is not installed; pip install "
        "'gem-bench[systems]' gets it"
    )
