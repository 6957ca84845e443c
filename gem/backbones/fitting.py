"""A state dict against a model: of its architecture, of finite numbers, or a sentence."""

import math
from collections.abc import Mapping
from pathlib import Path

import open_clip
import torch
from open_clip import CLIP, CustomTextCLIP
from torch import Tensor, nn

PRECISIONS = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}
FLOATS = {torch.float64, *PRECISIONS}
POSITIONS = "visual.positional_embedding"


def fit_state(
    model: CLIP | CustomTextCLIP, state: dict[str, Tensor], path: Path, claim: str
) -> None:
    """Bring ``state`` to the shapes of ``model``, so that it can be loaded.

    Position embeddings of another grid are resized as open_clip does; a logit scale or bias is a
    scalar in some releases, a vector of one in others. Raises ValueError, with the first tensor
    that does not fit after ``claim``, or with one whose numbers are not finite.
    """
    wanted = model.state_dict()
    check_kinds(wanted, state, claim)
    for key in ("logit_scale", "logit_bias"):
        if key in wanted and key in state and state[key].numel() == 1:
            state[key] = state[key].reshape(wanted[key].shape)
    both = POSITIONS in state and POSITIONS in wanted  # a tower of timm has others
    if both and state[POSITIONS].shape[1:] == wanted[POSITIONS].shape[1:]:
        _check_grid(len(state[POSITIONS]), len(wanted[POSITIONS]), claim)
        state[POSITIONS] = state[POSITIONS].float()  # half is not resized on a CPU
        open_clip.model.resize_pos_embed(state, model)
    check_state(model, state, path, claim)


def check_state(
    model: nn.Module, state: Mapping[str, Tensor], path: Path, claim: str, part: str = "backbone"
) -> None:
    """Raise ValueError unless ``state`` has the model's tensors, of its shapes and finite.

    ``part`` is the key of the model in the config. The sentence begins with ``claim``.
    """
    wanted = model.state_dict()
    check_kinds(wanted, state, claim)
    _check_fits(wanted, state, claim)
    for key, value in wanted.items():
        _check_finite(key, state[key], value.dtype, path, part)


def check_kinds(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor], claim: str) -> None:
    """Refuse what `load_state_dict` would convert without a word, or cannot."""
    for key in wanted:
        value = state.get(key)
        if value is None:
            continue
        if value.layout is not torch.strided or value.is_quantized or value.is_meta:
            raise ValueError(f"{claim}: {key} is no dense tensor in the file")
        if value.dtype not in FLOATS:
            kind = str(value.dtype).removeprefix("torch.")
            raise ValueError(
                f"{claim}: {key} is of {kind} in the file, expected float32, float16, bfloat16 or "
                "float64"
            )


def _check_grid(found: int, wanted: int, claim: str) -> None:
    """Position embeddings are resized from a square grid only."""
    side = math.isqrt(max(found - 1, 0))
    if found != wanted and (side == 0 or side**2 + 1 != found):
        raise ValueError(
            f"{claim}: {POSITIONS} has {found} rows in the file, expected {wanted}, or one for the "
            "class and those of a square grid of patches"
        )


def _check_fits(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor], claim: str) -> None:
    """Refuse the first key that is missing, foreign or of another shape."""
    for key, value in wanted.items():
        if key not in state:
            raise ValueError(f"{claim}: it lacks {key}")
        if state[key].shape != value.shape:
            found, expected = tuple(state[key].shape), tuple(value.shape)
            raise ValueError(f"{claim}: {key} is {found} in the file, {expected} in the model")
    foreign = sorted(set(state) - set(wanted))
    if foreign:
        raise ValueError(f"{claim}: it has {foreign[0]}, which the model lacks")


def _check_finite(key: str, value: Tensor, dtype: torch.dtype, path: Path, part: str) -> None:
    """Refuse values that are not finite, in the file or once they are of ``dtype``."""
    extremes = torch.stack(value.aminmax())  # nan passes through both
    if not extremes.isfinite().all():
        count = int((~value.isfinite()).sum())
        raise ValueError(
            f"{path}: {key} holds {count} values that are not finite (nan or infinite)"
        )
    if not extremes.to(dtype).isfinite().all():
        raise ValueError(
            f"{path}: {key} holds {float(extremes.abs().max()):g}, which is infinite with "
            f"{part}.precision={PRECISIONS[dtype]}, expected {torch.finfo(dtype).max:g} at most"
        )
