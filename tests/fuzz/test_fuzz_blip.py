"""Files of BLIP's original release that are broken in any way."""

import io
from itertools import count

import pytest
import torch
from hypothesis import strategies as st
from mutated import EDITS, REFUSED, Given, answer, edited, fuzzed
from original_blip import original_of
from small_blip import blip_of, write_blip

NUMBERS = count()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a model, and what a file of the original release holds of it."""
    folder = tmp_path_factory.mktemp("model")
    return Given((folder, original_of(write_blip(folder))))


def run(folder, path):
    """Both towers; what is accepted has made finite features of finite weights."""
    backbone = blip_of(folder, weights=str(path))
    found = answer(lambda: (backbone.trace(torch.zeros(1, 3, 16, 24), 1), backbone.embed(["a"])))
    path.unlink()
    if found is REFUSED:
        return
    trace, text = found
    assert trace.project(trace.final).isfinite().all(), "features are not finite"
    assert text.isfinite().all(), "embeddings are not finite"


def saved(content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@fuzzed(share=0.5, edits=EDITS)
def test_files_of_other_bytes(edits, model):
    path = model[0] / f"{next(NUMBERS)}.pth"
    path.write_bytes(edited(saved({"model": model[1]}), edits))
    run(model[0], path)


VALUES = st.sampled_from([float("nan"), float("inf"), 1e-45, 0.0])
SHAPES = st.none() | st.lists(st.integers(0, 3), max_size=3)


@fuzzed(share=0.5, number=st.integers(0, 2**16), value=VALUES, shape=SHAPES)
def test_tensors_of_other_values_and_shapes(number, value, shape, model):
    key = sorted(model[1])[number % len(model[1])]
    part = model[1][key].clone() if shape is None else torch.zeros(shape)
    part.flatten()[:1].fill_(value)
    path = model[0] / f"{next(NUMBERS)}.pth"
    path.write_bytes(saved({"model": {**model[1], key: part}}))
    run(model[0], path)
