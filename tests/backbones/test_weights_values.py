"""Weights whose numbers or shapes cannot be used get a sentence, and never a score."""

import pytest
import torch
from safetensors.torch import save_file

from gem.backbones import OpenClip

POSITIONS = "visual.positional_embedding"
NUMBERS = [float("nan"), float("inf"), -float("inf")]
TENSORS = [
    "visual.transformer.resblocks.2.mlp.c_fc.weight", "visual.ln_pre.bias", "visual.proj",
    "text_projection", "token_embedding.weight", "logit_scale", POSITIONS,
]  # fmt: skip


def put(value, number, count=1):
    """The tensor with some numbers of another value."""
    changed = value.clone()
    changed.view(-1)[:count] = number
    return changed


def said(folder, path, **options):
    with pytest.raises(ValueError) as caught:
        _ = OpenClip(
            model=str(folder), weights=str(path), quick_gelu=False, device="cpu", **options
        ).towers
    return str(caught.value)


def written(state, path, key, value):
    writer = torch.save if path.suffix == ".pt" else save_file
    writer(state | {key: value}, path)
    return path


@pytest.mark.parametrize("key", TENSORS)
@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_that_are_not_finite(key, number, folder, state, tmp_path):
    count = min(state[key].numel(), 3)
    path = written(state, tmp_path / "w.safetensors", key, put(state[key], number, count))
    assert said(folder, path) == (
        f"{path}: {key} holds {count} values that are not finite (nan or infinite)"
    )


def test_numbers_that_half_precision_does_not_hold(folder, state, tmp_path):
    large = put(state["visual.proj"], -1e6)
    path = written(state, tmp_path / "w.safetensors", "visual.proj", large)
    for precision in ("fp32", "bf16"):
        fine = OpenClip(
            model=str(folder), weights=str(path), quick_gelu=False, device="cpu",
            precision=precision,
        )  # fmt: skip
        assert fine.towers.visual.proj.isfinite().all()
    assert said(folder, path, precision="fp16") == (
        f"{path}: visual.proj holds 1e+06, which is infinite with backbone.precision=fp16, "
        "expected 65504 at most"
    )


def test_numbers_that_single_precision_does_not_hold(folder, state, tmp_path):
    large = put(state["visual.proj"].double(), 1e300)
    path = written(state, tmp_path / "w.safetensors", "visual.proj", large)
    assert said(folder, path) == (
        f"{path}: visual.proj holds 1e+300, which is infinite with backbone.precision=fp32, "
        "expected 3.40282e+38 at most"
    )


FLOATS = "expected float32, float16, bfloat16 or float64"
KINDS = {
    f"visual.proj is of int64 in the file, {FLOATS}": lambda v: (v * 100).long(),
    f"visual.proj is of bool in the file, {FLOATS}": lambda v: v > 0,
    f"visual.proj is of complex64 in the file, {FLOATS}": lambda v: v.to(torch.complex64),
    f"visual.proj is of float8_e4m3fn in the file, {FLOATS}": lambda v: v.to(torch.float8_e4m3fn),
    "visual.proj is no dense tensor in the file": lambda v: v.to_sparse(),
    "visual.proj is () in the file, (64, 24) in the model": lambda v: v[0, 0],
    "visual.proj is (0, 24) in the file, (64, 24) in the model": lambda v: v[:0],
}


@pytest.mark.filterwarnings("ignore:Validating sparse tensor")
@pytest.mark.parametrize("sentence", KINDS)
def test_tensors_of_another_kind(sentence, folder, state, tmp_path):
    """`load_state_dict` would turn most of them into floating-point numbers without a word."""
    value = KINDS[sentence](state["visual.proj"])
    path = written(state, tmp_path / "w.pt", "visual.proj", value)
    assert said(folder, path) == f"{path} does not hold a small: {sentence}"


@pytest.mark.parametrize("count", [0, 2])
def test_a_logit_scale_is_one_number(count, folder, state, tmp_path):
    path = written(state, tmp_path / "w.safetensors", "logit_scale", torch.ones(count))
    assert said(folder, path) == (
        f"{path} does not hold a small: logit_scale is ({count},) in the file, () in the model"
    )


def test_a_logit_scale_in_brackets_is_one_number_too(folder, state, tmp_path):
    path = written(state, tmp_path / "w.safetensors", "logit_scale", state["logit_scale"][None])
    towers = OpenClip(model=str(folder), weights=str(path), quick_gelu=False, device="cpu").towers
    assert torch.equal(towers.model.logit_scale, state["logit_scale"])


ROWS = "expected 26, or one for the class and those of a square grid of patches"
SHAPES = {
    "(26, 128) in the file, (26, 64) in the model": lambda v: torch.cat([v, v], dim=1),
    "(26,) in the file, (26, 64) in the model": lambda v: v[:, 0],
    "() in the file, (26, 64) in the model": lambda v: v[0, 0],
    "(1, 26, 64) in the file, (26, 64) in the model": lambda v: v[None],
    "(17, 32) in the file, (26, 64) in the model": lambda v: v[:17, :32],
}


@pytest.mark.parametrize("sentence", SHAPES)
def test_position_embeddings_of_another_shape(sentence, folder, state, tmp_path):
    path = written(state, tmp_path / "w.pt", POSITIONS, SHAPES[sentence](state[POSITIONS]))
    assert said(folder, path) == f"{path} does not hold a small: {POSITIONS} is {sentence}"


@pytest.mark.parametrize("rows", [0, 1, 25, 24])
def test_position_embeddings_of_no_grid(rows, folder, state, tmp_path):
    path = written(state, tmp_path / "w.pt", POSITIONS, state[POSITIONS][:rows])
    assert said(folder, path) == (
        f"{path} does not hold a small: {POSITIONS} has {rows} rows in the file, {ROWS}"
    )
