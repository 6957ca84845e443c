"""BLIP's trace and text against the library's own forward, and its options."""

import json
import shutil

import pytest
import torch
from pydantic import ValidationError
from small_blip import TEXT, VISION, blip_of, small_model, write_blip
from test_open_timm import METHODS, WITH_TOKEN

from gem import Blip, Gem, MaskClip
from gem.backbones import Backbone, TowerShape
from gem.patches import Patches

ROUNDING = 1e-5
PROMPTS = ["a photo of a cat", "a dog"]


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


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def difference(ours, reference):
    assert ours.shape == reference.shape
    return float((ours - reference).detach().abs().max() / reference.detach().abs().max())


@pytest.mark.parametrize("size", [(40, 40), (64, 64), (24, 64)])
def test_the_trace_is_the_librarys_forward(size, blip, library):
    """Every stream, the last one behind its norm, and the class token's feature: 1e-5."""
    images = noise(2, 3, *size)
    trace = blip.trace(images, keep=5)
    with torch.inference_mode():
        own = library.vision_model(images, interpolate_pos_encoding=True, output_hidden_states=True)
        normed = library.vision_model.post_layernorm(trace.final)
        feature = library.vision_proj(normed[:, 0])
        expected = library.vision_proj(own.last_hidden_state[:, 0])
    assert trace.grid == (size[0] // 8, size[1] // 8)
    assert difference(normed, own.last_hidden_state) <= ROUNDING
    assert difference(feature, expected) <= ROUNDING
    for layer, stream in zip(trace.layers, own.hidden_states, strict=False):
        assert difference(layer.resid, stream) <= ROUNDING
    patches = library.vision_proj(own.last_hidden_state[:, 1:])
    assert difference(trace.project(trace.final), patches) <= ROUNDING


@pytest.mark.parametrize("positions", ["antialias", "bicubic", "bilinear"])
def test_other_ways_of_positions_are_other_numbers(positions, folder, blip):
    images = noise(1, 3, 64, 64)
    found = blip_of(folder, positions=positions).trace(images, keep=1).final
    assert difference(found, blip.trace(images, keep=1).final) > 10 * ROUNDING


def test_text_is_the_librarys_own(blip, library):
    words = blip.towers.words(PROMPTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        read = library.text_encoder(words.input_ids, words.attention_mask).last_hidden_state
        expected = torch.nn.functional.normalize(library.text_proj(read[:, 0]), dim=-1)
    found = blip.embed(PROMPTS)
    assert difference(found, expected) <= ROUNDING
    together = blip.embed([PROMPTS[1], "a " * 12])
    assert difference(blip.embed([PROMPTS[1]]), together[:1]) <= ROUNDING


def test_the_score_of_an_image_is_the_librarys(blip, library):
    """Both towers together: the cosine that its contrastive loss is made of."""
    images = noise(2, 3, 40, 40)
    words = blip.towers.words(PROMPTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        own = library(
            words.input_ids, images, use_itm_head=False, attention_mask=words.attention_mask
        ).itm_score
    model = blip.towers.model
    normed = model.vision_model.post_layernorm(blip.trace(images, keep=1).final)
    feature = torch.nn.functional.normalize(model.vision_proj(normed[:, 0]), dim=-1)
    assert difference(feature @ blip.embed(PROMPTS).T, own) <= ROUNDING


def test_every_promise_of_the_interface(blip):
    promised = {name for name in vars(Backbone) if not name.startswith("_")}
    assert all(hasattr(blip, name) for name in promised)
    assert blip.shape == TowerShape(5, 8, 24)
    assert blip.mean[0] == 0.48145466
    blip.trace(noise(1, 3, 40, 40), keep=1)
    blip.unload()
    assert not {"towers", "module"} & set(vars(blip))


@pytest.mark.parametrize("method", [*METHODS, *WITH_TOKEN], ids=lambda one: one.title)
def test_every_method_runs(method, blip):
    segmenter = Patches(backbone=blip, method=method)
    segmenter.check([])
    (one,) = segmenter.encode(noise(1, 3, 40, 56))
    assert one.features.shape == (1, 5, 7, 24)
    assert one.features.isfinite().all()


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stays_close(precision, folder, blip):
    rounded = blip_of(folder, precision=precision)
    for method in (MaskClip(), Gem()):
        (one,) = Patches(backbone=rounded, method=method).encode(noise(1, 3, 40, 40))
        (exact,) = Patches(backbone=blip, method=method).encode(noise(1, 3, 40, 40))
        assert float((one.features * exact.features).sum(dim=-1).min()) > 0.98
    assert float((rounded.embed(PROMPTS) * blip.embed(PROMPTS)).sum(dim=-1).min()) > 0.99


def test_a_prompt_that_is_too_long(folder):
    """Every letter of the stand-in is a token; start and end take two places."""
    short = blip_of(folder, max_length=10)
    short.embed(["abcdefgh"])
    with pytest.raises(ValueError) as caught:
        short.embed(["abcdefghi"])
    said = "the prompt 'abcdefghi' has 9 tokens, but the text tower reads 8"
    assert str(caught.value) == said


def test_provenance_and_what_text_depends_on(folder):
    from gem.hub.hashes import sha256

    one = blip_of(folder)
    digest = sha256(folder / "model.safetensors")
    assert (one.provenance.model, one.provenance.source) == ("small", "small")
    assert one.provenance.sha256 == digest
    assert one.text_key == (
        "blip", str(folder), "fp32", "cpu", 35, digest, one.provenance.config
    )  # fmt: skip
    assert not {"towers", "module", "config"} & set(vars(one))
    assert blip_of(folder, weights=None).text_key is None
    assert blip_of(folder, weights=None, seed=4).provenance.source == "random, seed 4"


def test_random_weights_of_a_known_name_are_spread_out():
    """The library's own start of the image tower is 1e-10; sizes are those of the release."""
    base, large = Blip(model="blip-base", weights=None), Blip(model="blip-large", weights=None)
    assert base.shape == TowerShape(12, 16, 256)
    assert large.shape == TowerShape(24, 16, 256)
    for one, width, heads in ((base, 768, 12), (large, 1024, 16)):
        config = one.config
        vision, text = config.vision_config, config.text_config
        assert (vision.hidden_size, vision.num_attention_heads) == (width, heads)
        assert (vision.image_size, vision.layer_norm_eps) == (384, 1e-6)
        assert (text.hidden_size, text.encoder_hidden_size) == (768, width)
        assert (text.num_attention_heads, text.vocab_size) == (12, 30524)


def test_random_weights_of_a_folder(folder, tmp_path):
    """Of its config alone, with a stand-in for its words."""
    shutil.copy(folder / "config.json", tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    del config["vision_config"]["initializer_range"]
    path.write_text(json.dumps(config))
    one, same = (blip_of(tmp_path, weights=None, seed=2) for _ in range(2))
    (found,) = Patches(backbone=one, method=Gem()).encode(noise(1, 3, 40, 40))
    assert found.features.std(dim=(0, 1, 2)).min() > 1e-3  # patches differ
    assert torch.equal(one.embed(PROMPTS), same.embed(PROMPTS))
    assert not torch.allclose(*one.embed(PROMPTS))


@pytest.mark.parametrize(
    "wrong", [{"precision": "fp8"}, {"max_length": 2}, {"positions": "x"}, {"seed": -1}], ids=str
)
def test_wrong_options(wrong):
    with pytest.raises(ValidationError):
        Blip(model="blip-base", **wrong)


def test_the_small_model_is_no_special_case():
    assert (VISION["image_size"] // VISION["patch_size"], TEXT["vocab_size"]) == (5, 1200)
