"""Our GEM against the released one: golden tensors from gem_torch 1.0.1 on open_clip 2.23.

`scripts/reference/record.py` records them; `tests/reference/manifest.json` says which call of the
release gave each, and how far the release's float32 is itself from its float64. The release counts
layers + 1 (`gem_depth`) and takes an inverse temperature (`ss_attn_temp`).
"""

import functools
import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from torch.nn.functional import normalize

from gem.backbones import OpenClip
from gem.image import min_max, upsample
from gem.methods import Clip, Gem
from gem.patches import Patches
from gem.vocabulary import Queries

REFERENCE = Path(__file__).parent / "reference"
TOLERANCE = 1e-5  # largest difference over the largest value of the release, in float32
MANIFEST = json.loads((REFERENCE / "manifest.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in MANIFEST["cases"]}


@functools.cache
def goldens():
    return load_file(REFERENCE / "goldens.safetensors")


@functools.cache
def fill():
    spec = importlib.util.spec_from_file_location("fill", REFERENCE / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def family(case):
    return "small" if case["model"].startswith("small") else case["model"]


class Shared:
    """A backbone that passes once over images of a size: the settings share its trace."""

    def __init__(self, backbone):
        self.backbone = backbone
        self.traces = {}

    def __getattr__(self, name):
        return getattr(self.backbone, name)

    def trace(self, images, keep):
        blocks = self.backbone.shape.num_blocks
        assert keep <= blocks
        if images.shape not in self.traces:
            self.traces[images.shape] = self.backbone.trace(images, keep=blocks)
        return self.traces[images.shape]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """Builds the model of a case once."""
    return functools.cache(lambda name: Shared(build(name, tmp_path_factory.mktemp(name))))


def build(name, folder):
    """The small models from the stored weights; others filled where they stand, without a file."""
    if name not in MANIFEST["models"]:
        whole = OpenClip(model=name, device="cpu")
        for key, value in whole.towers.model.named_parameters():
            value.copy_(torch.from_numpy(fill().parameter(key, tuple(value.shape))))
        return whole
    settings = MANIFEST["models"][name]
    config = {"model_cfg": settings, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    weights = load_file(REFERENCE / "small.safetensors")
    if "ls_init_value" in settings["vision_cfg"]:
        for block, layer in itertools.product(range(settings["vision_cfg"]["layers"]), (1, 2)):
            key = f"visual.transformer.resblocks.{block}.ls_{layer}.gamma"
            weights[key] = fill().parameter(key, (settings["vision_cfg"]["width"],))
    save_file(weights, folder / "weights.safetensors")
    return OpenClip(
        model=str(folder),
        weights=str(folder / "weights.safetensors"),
        quick_gelu=settings.get("quick_gelu", False),
        device="cpu",
    )


def images_of(case):
    batch, height, width = case["image"]
    name = family(case)
    images = fill().images(f"images/{name}", tuple(MANIFEST["images"][name]))
    return torch.from_numpy(images[:batch, :, :height, :width].copy())


def method_of(case):
    """Our words for the release's arguments."""
    inverse = case["ss_attn_temp"]
    return Gem(
        iters=case["ss_attn_iter"],
        temperature="adaptive" if inverse is None else 1 / inverse,
        blocks=case["gem_depth"] - 1,
    )


def cosines_of(case, backbone, method):
    """Those of each image with the release's own embeddings of text."""
    text = torch.from_numpy(goldens()[f"texts/{family(case)}"])
    queries = Queries(text, tuple(range(len(text))), background=False, words=("",) * len(text))
    segmenter = Patches(backbone=backbone(case["model"]), method=method)
    return torch.stack([one.scores(queries) for one in segmenter.encode(images_of(case))])


def compare(case, **found):
    """Each tensor, at the tokens, channels and pixels that are stored, with the release's."""
    tokens, channels, pixels = MANIFEST["steps"][family(case)].values()
    features = np.s_[:, ::tokens, ::channels]
    cuts = {"patches": features, "unit": features, "original": features, "logits": features[:2]}
    maps = np.s_[..., ::pixels, ::pixels]
    errors = {}
    for key, tensor in found.items():
        golden = goldens()[f"{case['name']}/{key}"]
        ours = tensor.numpy()[cuts.get(key, maps)]
        assert ours.shape == golden.shape
        errors[key] = float(abs(ours - golden).max() / abs(golden).max())
    assert max(errors.values()) <= TOLERANCE, errors


@pytest.mark.parametrize("name", CASES)
def test_features_are_the_releases(name, backbone):
    case = CASES[name]
    method = method_of(case)
    trace = backbone(case["model"]).trace(images_of(case), keep=method.num_blocks)
    patches = method(trace)
    compare(case, patches=patches, unit=normalize(patches, dim=-1), original=Clip()(trace))


@pytest.mark.parametrize("name", CASES)
def test_cosines_are_the_releases(name, backbone):
    case = CASES[name]
    compare(case, logits=cosines_of(case, backbone, method_of(case)).flatten(2).mT)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["maps"]])
def test_heat_maps_are_the_releases(name, backbone):
    case = CASES[name]

    def maps_of(method):
        cosines = cosines_of(case, backbone, method)
        return [upsample(one, tuple(case["image"][1:])) for one in cosines]

    ours, plain = maps_of(method_of(case)), maps_of(Clip())
    rows = [[MANIFEST["names"].index(name) for name in names] for names in case["asked"]]
    asked = [maps[row] for maps, row in zip(ours, rows, strict=True)]
    compare(
        case,
        forward=torch.stack(ours),
        forward_minmax=torch.stack([min_max(maps) for maps in ours]),
        forward_original=torch.stack(plain),
        batched=100 * torch.cat(asked),
        batched_minmax=torch.cat([min_max(maps) for maps in asked]),
    )


def test_text_is_the_releases(backbone):
    """The release asks "a photo of a {class}." and nothing else."""
    prompts = [f"a photo of a {name}." for name in MANIFEST["names"]]
    golden = goldens()["texts/ViT-B-16"]
    error = abs(backbone("ViT-B-16").embed(prompts).numpy() - golden).max() / abs(golden).max()
    assert error <= TOLERANCE


def test_weights_and_images_are_those_recorded():
    """What is filled here is bit for bit what was filled in the environment of the release."""
    for key, value in load_file(REFERENCE / "small.safetensors").items():
        assert np.array_equal(fill().parameter(key, value.shape), value), key
    images = goldens()["images/small"]
    assert np.array_equal(fill().images("images/small", images.shape), images)


def test_goldens_tell_every_setting_apart():
    """A golden that two settings share could not show which of them ours computes."""
    for one, other in itertools.combinations(CASES.values(), 2):
        if one["image"] == other["image"] and family(one) == family(other):
            first, second = (goldens()[f"{case['name']}/patches"] for case in (one, other))
            assert abs(first - second).max() > 500 * TOLERANCE * abs(first).max()
