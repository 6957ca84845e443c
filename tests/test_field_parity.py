"""The field's methods against features that their authors' code computed, where they are at hand.

The files lie beside the project and are no part of it; their weights are made again from seeds.
"""

import runpy

import pytest
import torch
from conftest import REPOSITORY
from safetensors.torch import load_file, save_file

import gem
from gem.trace import Layer, Trace

GOLDEN = REPOSITORY.parent / "shared" / "golden"
TOLERANCE = 1e-5  # of the largest feature
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the recorded features are not here")
SIZES = ("224x224", "224x320")
BICUBIC = {
    "clearclip_repo_vanilla": gem.Clip(),
    "clearclip_repo_maskclip": gem.MaskClip(),
    "clearclip_repo_maskclip_residual": gem.MaskClip(residual=True, mlp=True),
    "clearclip_repo_sclip": gem.Sclip(residual=False, mlp=False),
    "clearclip_repo_sclip_residual": gem.Sclip(),
    "clearclip_repo_clearclip": gem.ClearClip(),
    "sclip": gem.Sclip(),
    "naclip": gem.Naclip(),
    "resclip_rcs": gem.ResClip(share=0.6, factor=2.0),
}
ANTIALIAS = {
    "clearclip_repo_gem": gem.Gem(blocks=6),
    "clearclip_repo_gem_no_residual": gem.Gem(residual=False),
}
CASES = [(kind, name, size)
         for kind, group in (("bicubic", BICUBIC), ("antialias", ANTIALIAS))
         for name in group for size in SIZES]  # fmt: skip


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A file of the weights that the authors' code was given."""
    made = runpy.run_path(str(GOLDEN / "make_weights.py"))
    state = {name: made["draw"](name, shape, 1) for name, shape in made["shapes"]().items()}
    state["logit_scale"] = torch.tensor(4.6052)
    path = tmp_path_factory.mktemp("golden") / "weights.safetensors"
    save_file(state, path)
    yield path
    path.unlink()


@pytest.fixture(scope="session")
def backbones(weights):
    """By the way that position embeddings are brought to another grid."""
    known = {"model": "ViT-B-16", "weights": str(weights), "quick_gelu": True, "device": "cpu"}
    first = gem.OpenClip(**known)
    second = gem.OpenClip(**known, positions="bicubic")
    vars(second)["towers"] = type(first.towers)(**{**vars_of(first.towers), "positions": "bicubic"})
    return {"antialias": first, "bicubic": second}


def vars_of(towers):
    """The fields of loaded towers: one model in memory serves both."""
    names = ("model", "tokenizer", "provenance", "device", "dtype")
    return {name: getattr(towers, name) for name in names}


@pytest.fixture(scope="session")
def traces(backbones):
    """One pass for each size and way; all methods read it."""
    return {
        (kind, size): backbone.trace(load_file(GOLDEN / f"image_{size}.safetensors")["image"], 12)
        for kind, backbone in backbones.items()
        for size in SIZES
    }


def worst(found, name, size):
    """The largest difference over the largest feature of the authors' code."""
    golden = load_file(GOLDEN / f"{name}_{size}.safetensors")["features"]
    assert found.shape == golden.shape
    return float((found - golden).abs().max() / golden.abs().max())


@pytest.mark.parametrize(("kind", "name", "size"), CASES)
def test_features_are_the_authors(kind, name, size, traces):
    method = {**BICUBIC, **ANTIALIAS}[name]
    assert worst(method(traces[kind, size]), name, size) <= TOLERANCE


def test_surgery_is_the_authors(traces):
    found = gem.ClipSurgery()(traces["antialias", "224x224"])
    assert worst(found, "clip_surgery", "224x224") <= TOLERANCE


@pytest.mark.parametrize(("kind", "name"), [*((k, n) for k, n, size in CASES if size == SIZES[1])])
def test_positions_are_the_authors(kind, name, backbones):
    """Those that the code added on a grid that was not trained."""
    golden = load_file(GOLDEN / f"{name}_{SIZES[1]}.safetensors")["positions"]
    ours = backbones[kind].towers.tower.placed((14, 20))
    assert torch.allclose(ours, golden, atol=2e-6)


def test_another_interpolation_is_seen(traces):
    """By percents of the largest feature: the option is worth its name."""
    found = gem.ClearClip()(traces["antialias", "224x320"])
    assert worst(found, "clearclip_repo_clearclip", "224x320") > 1e-3


class Given:
    """A block that is never asked: the stream behind it is given."""

    def norm(self, resid):
        raise NotImplementedError

    def head(self, normed, projection):
        raise NotImplementedError

    def write(self, heads):
        raise NotImplementedError

    def mlp(self, resid):
        raise NotImplementedError


def external(features):
    """The trace of a model whose final features [1, c, y, x] were recorded."""
    tokens = features.flatten(2).mT
    layer = Layer(tokens, Given())
    vars(layer)["out"] = tokens
    return Trace([layer], project=lambda resid: resid, grid=tuple(features.shape[2:]))


@pytest.mark.parametrize("size", SIZES)
def test_proxyclip_is_the_authors(size, traces):
    """Their code takes rows for columns where values are brought to the finer grid.

    On squares, which all windows of its settings are, that is the same. On 224 x 320 its 14 x 20
    patches are read as 20 x 14 here too.
    """
    recorded = load_file(GOLDEN / f"proxyclip_{size}.safetensors")["external"]
    trace = traces["bicubic", size].beside(external(recorded))
    trace.grid = trace.grid[::-1]
    method = gem.ProxyClip(companion=gem.TimmVit(model="vit_base_patch8_224.dino"))
    with torch.inference_mode():
        assert worst(method(trace), "proxyclip", size) <= TOLERANCE
