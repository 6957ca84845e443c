"""Models of the hub's format: what is wrong with them is one sentence."""

import json
import pickle
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from gem.hub import files, models
from gem.hub.model import HubModel
from gem.options import options

SIZES = {
    "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": 16, "patch_size": 8,
}  # fmt: skip
TENSOR = "embeddings.cls_token"


@options
class Tower(HubModel):
    """A small tower, of which the library has many."""

    architecture: ClassVar[str] = "ViTModel"
    kinds: ClassVar[dict[str, str]] = {"vit": "ViTConfig"}
    sizes: ClassVar[dict[str, dict[str, int]]] = {"some/tower": SIZES}


@pytest.fixture
def folder(tmp_path):
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    model = transformers.ViTModel(transformers.ViTConfig(**SIZES))
    with torch.no_grad():
        model.embeddings.cls_token.normal_()
    model.save_pretrained(tmp_path / "tower")
    return tmp_path / "tower"


def tower(folder, **changes):
    return Tower(model=str(folder), device="cpu", **changes)


def edited(folder, **values):
    """The config with other values."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), encoding="utf-8")


def said(error, call):
    """The sentence that a call ends with."""
    with pytest.raises(error) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_was_saved_is_loaded(folder):
    found = tower(folder)
    own = transformers.ViTModel.from_pretrained(folder).state_dict()
    assert all(torch.equal(own[key], value) for key, value in found.module.state_dict().items())
    assert torch.equal(own[TENSOR], load_file(folder / "model.safetensors")[TENSOR])
    assert not found.module.training
    assert not any(one.requires_grad for one in found.module.parameters())
    assert found.provenance.sha256 == files.sha256(folder / "model.safetensors")
    assert (found.provenance.model, found.provenance.source) == ("tower", "tower")


def test_several_files_of_weights(folder, tmp_path):
    """As the library splits them; the hash is of all."""
    again = tower(folder).module
    again.save_pretrained(tmp_path / "split", max_shard_size="4KB")
    paths = files.weight_files(tmp_path / "split")
    assert len(paths) > 2
    found = tower(tmp_path / "split")
    assert all(
        torch.equal(value, again.state_dict()[key])
        for key, value in found.module.state_dict().items()
    )
    before = found.provenance.sha256
    last = load_file(paths[-1])
    key = next(iter(last))
    save_file(last | {key: last[key] + 1}, paths[-1], {"format": "pt"})
    assert tower(tmp_path / "split").provenance.sha256 != before
    paths[-1].unlink()
    sentence = said(ValueError, lambda: tower(tmp_path / "split").module)
    assert sentence.startswith(f"{paths[0]} cannot be read as a ViTModel: ")


def test_a_file_of_torch(folder):
    """Read without running code; safetensors count first where both are there."""
    state = load_file(folder / "model.safetensors")
    torch.save({key: value + 1 for key, value in state.items()}, folder / "pytorch_model.bin")
    assert torch.equal(tower(folder).module.state_dict()[TENSOR], state[TENSOR])
    (folder / "model.safetensors").unlink()
    found = tower(folder)
    assert torch.equal(found.module.state_dict()[TENSOR], state[TENSOR] + 1)
    assert found.provenance.sha256 == files.sha256(folder / "pytorch_model.bin")


class Ran:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return (exec, ("import pathlib; pathlib.Path('ran').touch()",))


@pytest.mark.parametrize("plain", [True, False])
def test_pickled_code_is_not_run(folder, tmp_path, monkeypatch, plain):
    monkeypatch.chdir(tmp_path)
    path = folder / "pytorch_model.bin"
    (folder / "model.safetensors").unlink()
    if plain:
        path.write_bytes(pickle.dumps({TENSOR: Ran()}))
    else:
        torch.save({TENSOR: Ran()}, path)
    sentence = said(ValueError, lambda: tower(folder).module)
    assert sentence.startswith(f"{path} cannot be read as a ViTModel: ")
    assert not Path("ran").exists()


def test_a_folder_without_a_config(folder):
    (folder / "config.json").unlink()
    expected = f"backbone.model={folder}: the folder has no config.json"
    beside = type("Beside", (Tower,), {"part": "backbone"})
    for weights in ("published", None):
        part = beside(model=str(folder), weights=weights, device="cpu")
        assert said(FileNotFoundError, lambda part=part: part.config) == expected


def test_a_folder_without_weights(folder):
    (folder / "model.safetensors").unlink()
    assert said(FileNotFoundError, lambda: tower(folder).module) == (
        f"segmenter.model={folder}: the folder has no model.safetensors or pytorch_model.bin"
    )
    assert tower(folder, weights=None).module  # random ones need none


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", r"cannot be read as the config of a model: .*"),
        ("[]", r"cannot be read as the config of a model: .*"),
        ("{}", r"cannot be read as the config of a model: KeyError\('model_type'\)"),
        ('{"model_type": "bert"}', r"is of a bert, expected vit"),
        ('{"model_type": ["vit"]}', r"is of a \['vit'\], expected vit"),
        ('{"model_type": "vit", "hidden_size": "wide"}', r".*hidden_size.*"),
    ],
)
def test_a_config_that_is_wrong(folder, content, expected):
    path = folder / "config.json"
    path.write_text(content, encoding="utf-8")
    sentence = said(ValueError, lambda: tower(folder).config)
    assert re.match(rf"{re.escape(str(path))}:? {expected}$", sentence), sentence


def test_bytes_that_are_no_text(folder):
    (folder / "config.json").write_bytes(b"\xff\xfe\x00")
    sentence = said(ValueError, lambda: tower(folder).config)
    assert sentence.startswith(f"{folder / 'config.json'} cannot be read as the config of a model")


def test_a_tensor_that_is_missing(folder):
    state = load_file(folder / "model.safetensors")
    del state[TENSOR]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    path = folder / "model.safetensors"
    assert said(ValueError, lambda: tower(folder).module) == (
        f"{path} does not hold a ViTModel: it lacks {TENSOR}"
    )


def test_a_tensor_of_another_shape(folder):
    state = load_file(folder / "model.safetensors")
    state[TENSOR] = torch.zeros(1, 1, 3)
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    sentence = said(ValueError, lambda: tower(folder).module)
    assert sentence.startswith(str(folder / "model.safetensors"))


def test_a_config_of_another_size(folder):
    edited(folder, hidden_size=32)
    sentence = said(ValueError, lambda: tower(folder).module)
    assert sentence.startswith(f"{folder / 'model.safetensors'} ")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite(folder, value):
    state = load_file(folder / "model.safetensors")
    state[TENSOR][0, 0, :2] = value
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    assert said(ValueError, lambda: tower(folder).module) == (
        f"{folder / 'model.safetensors'}: {TENSOR} holds 2 values that are not finite (nan or "
        "infinite)"
    )


def test_buffers_are_looked_at_too():
    """A batch norm's mean is a number that others are computed from."""
    norm = torch.nn.BatchNorm1d(3)
    norm.running_var[1] = float("nan")
    sentence = said(ValueError, lambda: models._check_finite(norm, Path("model.safetensors")))
    assert sentence.startswith("model.safetensors: running_var holds 1 values that are not finite")


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"no weights at all"])
def test_broken_bytes(folder, content):
    path = folder / "model.safetensors"
    path.write_bytes(content)
    sentence = said(ValueError, lambda: tower(folder).module)
    assert sentence.startswith(f"{path} cannot be read as a ViTModel: ")


def test_a_file_that_was_cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert said(ValueError, lambda: tower(folder).module).startswith(f"{path} cannot be read")


def test_random_weights_are_those_of_the_seed(folder):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    first, again, other = (
        tower(folder, weights=None, seed=seed).module.state_dict() for seed in (3, 3, 4)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)
    found = tower(folder, weights=None, seed=3).provenance
    assert (found.source, found.sha256, found.random) == ("random, seed 3", None, True)
    assert found.config == tower(folder).provenance.config


def test_a_config_of_which_nothing_can_be_built(folder):
    edited(folder, patch_size=0)
    sentence = said(ValueError, lambda: tower(folder, weights=None).module)
    assert sentence.startswith("segmenter.model: no ViTModel can be built of its config: ")


def test_a_known_name_needs_no_file():
    found = Tower(model="some/tower", weights=None, device="cpu")
    assert found.folder is None
    assert found.module.config.hidden_size == 16
    assert found.provenance.model == "tower"
    other = replace(found, model="some/other")
    assert said(ValueError, lambda: other.config) == (
        "segmenter.weights=null: the sizes of some/other are not known, expected a folder with its "
        "config.json, or one of some/tower"
    )


def test_without_the_package(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    for weights in ("published", None):
        for part in ("config", "module"):
            one = tower(folder, weights=weights)
            assert said(ValueError, lambda one=one, part=part: getattr(one, part)) == (
                "segmenter: the package transformers is not installed; pip install "
                "'gem-bench[systems]' gets it"
            )


def test_a_device_that_is_not_there(folder):
    sentence = said(ValueError, lambda: replace(tower(folder), device="cuda:99").module)
    assert sentence.startswith("segmenter.device=cuda:99 is not available: ")


def test_precisions(folder):
    found = tower(folder, precision="bf16").module
    assert {one.dtype for one in found.parameters()} == {torch.bfloat16}
    assert tower(folder, precision="tf32").module.dtype == torch.float32


def test_the_config_counts_by_its_content(folder):
    before = tower(folder).provenance
    edited(folder, layer_norm_eps=1e-3)
    after = tower(folder).provenance
    assert before.config != after.config
    assert before.sha256 == after.sha256


def test_the_library_is_left_as_it_was(folder):
    """Its warnings and progress bars are off only while we load."""
    logging = transformers.logging
    logging.enable_progress_bar()
    before = logging.get_verbosity()
    _ = tower(folder).module
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (before, True)
    logging.disable_progress_bar()
    _ = tower(folder).module
    assert not logging.is_progress_bar_enabled()


def test_unload(folder):
    found = tower(folder)
    first = found.module
    found.unload()
    assert "module" not in vars(found)
    assert found.module is not first
