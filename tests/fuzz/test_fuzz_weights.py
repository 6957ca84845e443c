"""Weights, configs of models and their words that are broken in any way."""

import io
import json
import struct
from itertools import count

import pytest
import torch
from drawn import setting_of
from hypothesis import strategies as st
from mutated import CHANGES, EDITS, REFUSED, Given, answer, as_json, changed, edited, fuzzed
from safetensors.torch import save

from evaluation.measure.evaluate import evaluate
from evaluation.measure.text_cache import embed_text
from gem import Gem
from gem.backbones import OpenClip

NUMBERS = count()
WORDS = "dog tree a photo of house sheep grazing the"
CONFIG = {
    "model_cfg": {
        "embed_dim": 8,
        "vision_cfg": {
            "image_size": 16, "patch_size": 8, "width": 16, "head_width": 8, "layers": 2,
        },
        "text_cfg": {
            "context_length": 12, "vocab_size": len(WORDS.split()) + 3, "width": 8, "heads": 1,
            "layers": 1,
        },
    },
    "preprocess_cfg": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a model of a few kilobytes, and its parameters."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG))
    (folder / "vocabulary.txt").write_text(WORDS)
    state = OpenClip(model=str(folder), device="cpu", seed=1).towers.model.state_dict()
    (folder / "model.safetensors").write_bytes(save(state))
    return Given((folder, state))


def run(folder, weights="embedded"):
    """Evaluate an image; what is accepted has made finite features of finite weights."""
    activation = None if weights == "embedded" else False
    backbone = OpenClip(
        model=str(folder), weights=str(weights), device="cpu", quick_gelu=activation
    )
    setting = setting_of(backbone, method=Gem(blocks=2), limit=1)
    found = answer(lambda: evaluate(setting))
    if found is REFUSED:
        return
    image, segmenter = setting.dataset[setting.ids[0]].image, setting.segmenter
    (made,) = segmenter.encode(segmenter.prepare(image, resize=setting.protocol.resize)[None])
    assert made.features.isfinite().all(), "features are not finite"
    text = setting.segmenter.embed(setting.class_vocabulary, setting.prompts)
    assert text.isfinite().all(), "embeddings are not finite"
    assert torch.equal(embed_text(setting).text, text), "the cache has those of another model"
    assert all(value.isfinite().all() for value in backbone.towers.model.state_dict().values())


@fuzzed(share=0.5, edits=EDITS)
def test_weights_of_other_bytes(edits, model):
    path = model[0] / f"{next(NUMBERS)}.safetensors"
    path.write_bytes(edited(save(model[1]), edits))
    run(model[0], path)
    path.unlink()


@fuzzed(share=0.5, changes=CHANGES)
def test_headers_of_weights(changes, model):
    content = save(model[1])
    (length,) = struct.unpack("<Q", content[:8])
    header = as_json(changed(json.loads(content[8 : 8 + length]), changes))
    path = model[0] / f"{next(NUMBERS)}.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + length :])
    run(model[0], path)
    path.unlink()


VALUES = st.sampled_from([float("nan"), float("inf"), -float("inf"), 3e38, 1e20, 1e-45, 0.0])
KINDS = st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64])


@fuzzed(share=0.5, number=st.integers(0, 2**16), value=VALUES, all_of_it=st.booleans(), kind=KINDS)
def test_values_of_weights(number, value, all_of_it, kind, model):
    state = {key: part.clone() for key, part in model[1].items()}
    key = sorted(state)[number % len(state)]
    state[key].flatten()[: None if all_of_it else 1].fill_(value)
    state[key] = state[key].to(kind)
    path = model[0] / f"{next(NUMBERS)}.safetensors"
    path.write_bytes(save(state))
    run(model[0], path)
    path.unlink()


SHAPES = st.lists(st.integers(0, 3), max_size=3)


@fuzzed(share=0.5, number=st.integers(0, 2**16), shape=SHAPES)
def test_shapes_of_weights(number, shape, model):
    key = sorted(model[1])[number % len(model[1])]
    path = model[0] / f"{next(NUMBERS)}.safetensors"
    path.write_bytes(save({**model[1], key: torch.zeros(shape)}))
    run(model[0], path)
    path.unlink()


@fuzzed(share=0.5, edits=EDITS, old=st.booleans(), wrapped=st.booleans())
def test_pickles_are_never_run(edits, old, wrapped, model):
    buffer = io.BytesIO()
    state = {"state_dict": model[1], "epoch": 3} if wrapped else model[1]
    torch.save(state, buffer, _use_new_zipfile_serialization=not old)
    path = model[0] / f"{next(NUMBERS)}.pt"
    path.write_bytes(edited(buffer.getvalue(), edits))
    run(model[0], path)
    path.unlink()


@pytest.fixture(scope="module")
def copy(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    for path in model[0].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@fuzzed(share=0.5, changes=CHANGES)
def test_configs_of_models(changes, copy):
    (copy / "vocabulary.txt").write_text(WORDS)
    (copy / "open_clip_config.json").write_bytes(as_json(changed(CONFIG, changes)))
    run(copy)


@fuzzed(share=0.5, edits=EDITS)
def test_vocabularies_of_models(edits, copy):
    (copy / "open_clip_config.json").write_text(json.dumps(CONFIG))
    (copy / "vocabulary.txt").write_bytes(edited(WORDS.encode(), edits))
    run(copy)
