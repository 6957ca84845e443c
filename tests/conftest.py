"""What all tests share: no network, and a small model that each run makes for itself."""

import json
import os
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
# One unless told: the models are small, and threads would only wait for each other. Processes that
# tests start have it from the environment.
os.environ.setdefault("OMP_NUM_THREADS", os.environ.get("GEM_TEST_THREADS", "1"))

import pytest
import torch
from other_rounding import OtherRounding
from safetensors.torch import load_file, save_file

from gem.backbones import OpenClip

torch.set_num_threads(int(os.environ.get("GEM_TEST_THREADS", "1")))
if number := int(os.environ.get("GEM_TEST_ROUNDING", "0")):
    OtherRounding(number).__enter__()  # for the whole run
REPOSITORY = Path(__file__).parents[1]
SMALL = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 40, "patch_size": 8, "width": 64, "head_width": 16, "layers": 5},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


def write_config(folder, **changes):
    """A model folder as open_clip reads it; ``changes`` go into the image tower."""
    config = SMALL | {"vision_cfg": SMALL["vision_cfg"] | changes}
    text = json.dumps({"model_cfg": config, "preprocess_cfg": {}})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(text, encoding="utf-8")
    return folder


def write_words(folder, words):
    """A model folder whose text tower reads these whole words."""
    text = SMALL["text_cfg"] | {"vocab_size": len(words) + 3}
    config = {"model_cfg": SMALL | {"text_cfg": text}, "preprocess_cfg": {}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "vocabulary.txt").write_text("\n".join(words), encoding="utf-8")
    return folder


def load_script(name):
    """A file of ``scripts/``, which is no package, as a module."""
    spec = spec_from_file_location(f"script_{name}", REPOSITORY / "scripts" / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tiny_script(monkeypatch):
    """Imports a file of ``scripts/tiny``, which imports its neighbours."""
    folder, before = REPOSITORY / "scripts" / "tiny", set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    yield import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) in map(str, folder.glob("*.py")):
            del sys.modules[name]


def roughen(model):
    """Noise on biases, norms and scales, sharper attention: no part may be 0 or 1 by its init."""
    generator = torch.Generator().manual_seed(1)
    for name, value in model.named_parameters():
        if "token_embedding" in name:
            value.mul_(20)  # words must differ
        if "ln_1.weight" in name:
            value.mul_(2)
        if value.ndim == 1:
            value.add_(torch.randn(value.shape, generator=generator) * 0.2)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Text embeddings are not kept in the user's cache."""
    os.environ["GEM_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The folder of the small model: config and weights."""
    folder = write_config(tmp_path_factory.mktemp("model") / "small")
    model = OpenClip(model=str(folder), device="cpu", seed=3).towers.model
    roughen(model)
    save_file(model.state_dict(), folder / "model.safetensors")
    return folder


@pytest.fixture(scope="session")
def small(folder):
    """The small model: patch 8, 5 blocks of 4 heads, position embeddings for 5x5 patches."""
    return OpenClip(model=str(folder), weights="embedded", device="cpu")


@pytest.fixture(scope="session")
def state(folder):
    """The parameters of the small model, as they lie in its file."""
    return load_file(folder / "model.safetensors")


@pytest.fixture
def images():
    """Three normalised images of the model's own size."""
    return torch.randn(3, 3, 40, 40, generator=torch.Generator().manual_seed(5))


def count_images(monkeypatch):
    """The number of images that the model is given from now on, call by call."""
    found, trace = [], OpenClip.trace
    monkeypatch.setattr(
        OpenClip,
        "trace",
        lambda self, images, keep: found.append(len(images)) or trace(self, images, keep),
    )
    return found


@pytest.fixture
def seen(monkeypatch):
    """`count_images` from the start of the test."""
    return count_images(monkeypatch)


def pytest_sessionfinish(session):
    """A worker of pytest-xdist hands its counts of examples to the process that reports."""
    if (mutated := sys.modules.get("mutated")) and hasattr(session.config, "workeroutput"):
        session.config.workeroutput["examples"] = dict(mutated.TALLY)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Add up what the workers counted."""
    if counted := getattr(node, "workeroutput", {}).get("examples"):
        import mutated

        mutated.TALLY.update(counted)


def pytest_terminal_summary(terminalreporter):
    """How many examples the fuzzing tests have run; of each property if there were many."""
    if (mutated := sys.modules.get("mutated")) and mutated.TALLY:
        *each, every = mutated.tally()
        for line in each if mutated.EXAMPLES else []:
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"fuzzing, {every}")
