"""Weights in all their containers give the same model, and bad ones a sentence."""

import hashlib
import pickle

import pytest
import torch
from conftest import write_config
from safetensors.torch import save_file

from gem.backbones import OpenClip
from gem.backbones.state_dict import read_state

EXTRAS = {"input_resolution": 40, "context_length": 16, "vocab_size": 49408}


def backbone(folder, weights, **options):
    options = {"quick_gelu": False, "device": "cpu"} | options
    return OpenClip(model=str(folder), weights=str(weights), **options)


def archive(state, path):
    """A TorchScript file in OpenAI's format: half precision, three integers among the weights."""
    root = torch.nn.Module()
    for name, value in [*state.items(), *((k, torch.tensor(v)) for k, v in EXTRAS.items())]:
        *parents, leaf = name.split(".")
        part = root
        for parent in parents:
            if not hasattr(part, parent):
                part.add_module(parent, torch.nn.Module())
            part = getattr(part, parent)
        part.register_buffer(leaf, value.half() if value.is_floating_point() else value)
    torch.jit.script(root).save(path)


WRITERS = {
    "w.safetensors": save_file,
    "w.pt": torch.save,
    "w.pth": lambda state, path: torch.save({"state_dict": state, "epoch": 3}, path),
    "w.bin": lambda state, path: torch.save({f"module.{k}": v for k, v in state.items()}, path),
    "old.pt": lambda state, path: torch.save(state, path, _use_new_zipfile_serialization=False),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_container_gives_the_same_model(name, folder, state, tmp_path):
    path = tmp_path / name
    WRITERS[name](state, path)
    found = backbone(folder, path).towers.model.state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(value, state[key]) for key, value in found.items())


def test_openais_archive(folder, state, tmp_path):
    archive(state, tmp_path / "archive.pt")
    found = backbone(folder, tmp_path / "archive.pt", quick_gelu=True).towers.model.state_dict()
    assert all(torch.equal(value, state[key].half().float()) for key, value in found.items())


def test_openais_archive_was_trained_with_quickgelu(folder, state, tmp_path):
    archive(state, tmp_path / "archive.pt")
    with pytest.raises(ValueError, match=r"^backbone\.quick_gelu=false, but .* QuickGELU$"):
        _ = backbone(folder, tmp_path / "archive.pt").towers


def test_half_precision_for_another_grid(folder, state, tmp_path):
    """Position embeddings of 5x5 patches in a tower for 7x7, as open_clip resizes them."""
    save_file({key: value.half() for key, value in state.items()}, tmp_path / "half.safetensors")
    large = write_config(tmp_path / "large", image_size=56)
    positions = backbone(large, tmp_path / "half.safetensors").towers.visual.positional_embedding
    expected = backbone(folder, tmp_path / "half.safetensors").towers.tower.placed((7, 7))
    torch.testing.assert_close(positions, expected)


def test_where_the_numbers_come_from(folder, state, tmp_path):
    save_file(state, tmp_path / "mine.safetensors")
    digest = hashlib.sha256((tmp_path / "mine.safetensors").read_bytes()).hexdigest()
    found = backbone(folder, tmp_path / "mine.safetensors").provenance
    assert (found.model, found.source, found.sha256) == ("small", "mine.safetensors", digest)
    assert not found.random
    embedded = OpenClip(model=str(folder), weights="embedded", device="cpu").provenance
    assert (embedded.source, embedded.sha256) == ("embedded", digest)


def test_random_weights_say_so(folder):
    found = OpenClip(model=str(folder), device="cpu", seed=4).provenance
    assert (found.model, found.source, found.sha256) == ("small", "random, seed 4", None)
    assert found.random


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_pickled_code_is_not_run(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"visual.proj": Trap()}, tmp_path / "new.pt")
    (tmp_path / "old.pt").write_bytes(pickle.dumps({"visual.proj": Trap()}))
    for name in ("new.pt", "old.pt"):
        with pytest.raises(ValueError, match=f"{name} cannot be read as model weights: "):
            _ = backbone(folder, tmp_path / name).towers
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "old.pt"])
@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.99])
def test_a_file_that_is_cut_short(name, share, folder, state, tmp_path):
    path = tmp_path / name
    WRITERS[name](state, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match=rf"^{path} cannot be read as model weights: \S"):
        _ = backbone(folder, path).towers


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
@pytest.mark.parametrize("content", [b"no weights", b"PK\x05\x06" + b"\xff" * 18, b"\x80\x02]."])
def test_a_file_that_is_something_else(content, suffix, folder, tmp_path):
    path = tmp_path / f"w.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{path} (cannot be read as|holds no state dict)"):
        _ = backbone(folder, path).towers


@pytest.mark.parametrize(
    "content", [[1, 2], {"state_dict": {"epoch": 3}}, {0: torch.ones(1)}], ids=str
)
def test_a_file_without_a_state_dict(content, tmp_path):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(
        ValueError, match=r"w\.pt holds no state dict of tensors, expected a \.safetensors"
    ):
        read_state(tmp_path / "w.pt")


CHANGES = {
    "it lacks visual.proj": lambda state: state.pop("visual.proj"),
    "it has extra.weight, which the model lacks": lambda s: s.update(
        {"extra.weight": torch.ones(1)}
    ),
    r"visual.proj is \(64, 25\) in the file, \(64, 24\) in the model": lambda s: s.update(
        {"visual.proj": torch.ones(64, 25)}
    ),
}


@pytest.mark.parametrize("said", CHANGES)
def test_weights_of_another_architecture(said, folder, state, tmp_path):
    other = dict(state)
    CHANGES[said](other)
    save_file(other, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=rf"other\.safetensors does not hold a small: {said}$"):
        _ = backbone(folder, tmp_path / "other.safetensors").towers
