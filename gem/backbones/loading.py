"""From plain arguments to a loaded model."""

from pathlib import Path

from gem.backbones.model_config import config_digest, config_of, own_quick_gelu
from gem.backbones.open_clip_model import new_model
from gem.backbones.positions import Positions
from gem.backbones.shapes import tower_shape
from gem.backbones.state_dict import load_weights
from gem.backbones.tokenizer import new_tokenizer
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

    Raises what `tower_shape`, `new_model`, `resolve`, `load_weights` and `pick_device` raise.
    """
    tower_shape(model)  # what is not supported is said before anything is built or downloaded
    if compiled and config_of(model)["vision_cfg"].get("timm_model_name"):
        raise ValueError(f"backbone.compile=true: the tower of {model} is of timm and not compiled")
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
        tokenizer=new_tokenizer(model, random=path is None),
        provenance=Provenance(name, source_of(weights, path, seed), digest, config_digest(model)),
        device=place,
        dtype=DTYPES[precision],
        positions=positions,
        compiled=compiled,
    )
