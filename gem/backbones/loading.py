"""From plain arguments to a loaded model."""

from pathlib import Path

from gem.backbones.model_config import config_digest, own_quick_gelu
from gem.backbones.open_clip_model import new_model, new_tokenizer
from gem.backbones.positions import Positions
from gem.backbones.state_dict import load_weights
from gem.backbones.towers import Towers
from gem.backbones.weights import resolve, source_of
from gem.device import DTYPES, pick_device
from gem.provenance import Provenance


def load_towers(
    model: str,
    weights: str | None,
    *,
    quick_gelu: bool | None,
    device: str,
    precision: str,
    positions: Positions,
    compiled: bool,
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
        model,
        weights,
        quick_gelu=quick_gelu,
        device=place,
        precision="fp32" if precision == "tf32" else precision,
        seed=seed,
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
        compiled=compiled,
    )
