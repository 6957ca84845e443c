"""From plain arguments to a loaded model, and to where its numbers come from."""

from pathlib import Path

import torch

from gem.backbones.model_config import config_digest, own_quick_gelu
from gem.backbones.open_clip_model import new_model, new_tokenizer
from gem.backbones.positions import Positions
from gem.backbones.towers import Towers
from gem.backbones.weights import load_weights, resolve, sha256
from gem.device import pick_device
from gem.provenance import Provenance

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def load_towers(
    model: str,
    weights: str | None,
    *,
    quick_gelu: bool | None,
    device: str,
    precision: str,
    positions: Positions,
    seed: int,
) -> Towers:
    """Build and load a model; the arguments are the fields of `gem.OpenClip`.

    Raises what `new_model`, `resolve`, `load_weights` and `pick_device` raise.
    """
    place, path = pick_device(device), None
    if weights is not None:
        path, quick_gelu = resolve(model, weights, quick_gelu)
    elif quick_gelu is None:
        quick_gelu = own_quick_gelu(model)
    empty = new_model(
        model, weights, quick_gelu=quick_gelu, device=place, precision=precision, seed=seed
    )
    name = Path(model).name
    digest = load_weights(empty, path, name) if path else None
    return Towers(
        model=empty,
        tokenizer=new_tokenizer(model),
        provenance=Provenance(name, source_of(weights, path, seed), digest, config_digest(model)),
        device=place,
        dtype=DTYPES[precision],
        positions=positions,
    )


def provenance_of(
    model: str, weights: str | None, *, quick_gelu: bool | None, seed: int
) -> Provenance:
    """What `load_towers` would say of the model, without building it.

    Raises what `resolve` raises.
    """
    path = None if weights is None else resolve(model, weights, quick_gelu)[0]
    digest = sha256(path) if path else None
    source = source_of(weights, path, seed)
    return Provenance(Path(model).name, source, digest, config_digest(model))


def source_of(weights: str | None, path: Path | None, seed: int) -> str:
    """What weights are called: their tag, the name of their file, or the seed."""
    if weights is None or path is None:
        return f"random, seed {seed}"
    return path.name if path == Path(weights) else weights
