"""From plain arguments to a loaded companion of timm, and to where its numbers come from."""

from pathlib import Path

from timm.models import PretrainedCfg
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from gem.backbones.fitting import check_state
from gem.backbones.positions import Positions
from gem.backbones.state_dict import read_state
from gem.backbones.timm_model import CONFIG, folder_of, new_vit, tags_of
from gem.backbones.timm_tower import TimmTower
from gem.backbones.weights import embedded, fetch, given_file, source_of
from gem.device import DTYPES, pick_device
from gem.hub.hashes import files_digest, sha256
from gem.provenance import Provenance

PART = "companion"
HEADS = ("head.", "fc_norm.", "mask_token")  # of training; the patches' features do not read them
WAY_OUT = "companion.weights=null for random ones, whose scores mean nothing"


def load_tower(
    model: str, weights: str | None, *, device: str, precision: str, positions: Positions, seed: int
) -> TimmTower:
    """Build and load a model; the arguments are the fields of `gem.TimmVit`.

    Raises ValueError, FileNotFoundError or ConnectionError in one sentence.
    """
    place, path = pick_device(device, PART), resolve(model, weights)
    empty = new_vit(tagged(model, weights), seed).to(place, DTYPES[precision])
    digest = _load(empty, path, Path(model).name) if path else None
    found = _provenance(model, weights, path, digest, seed)
    return TimmTower(
        model=empty, provenance=found, device=place, dtype=DTYPES[precision], positions=positions
    )


def provenance_of(model: str, weights: str | None, *, seed: int) -> Provenance:
    """What `load_tower` would say of the model, without building it. Raises what `resolve` does."""
    path = resolve(model, weights)
    return _provenance(model, weights, path, sha256(path) if path else None, seed)


def resolve(model: str, weights: str | None) -> Path | None:
    """The weight file; a tag is downloaded if it is not on this machine. None for random weights.

    Raises ValueError for an unknown name or tag, FileNotFoundError for a file that is not there,
    ConnectionError if there is no network.
    """
    tags = tags_of(model)
    if weights is None:
        return None
    if weights == "embedded":
        return embedded(model, folder_of(model), PART)
    if path := given_file(weights, PART):
        _check_known(model, weights, tags)
        return path
    if weights not in tags:
        raise ValueError(
            f"companion.weights={weights}: neither a .safetensors or .pt file nor a tag of "
            f"{model}, which has: {', '.join(tags) or 'none'}"
        )
    own = model.partition(".")[2]
    if own and own != weights:
        raise ValueError(f"companion.weights={weights}, but companion.model={model} names {own}")
    return fetch(model, weights, _source(tags[weights]), PART, WAY_OUT)


def tagged(model: str, weights: str | None) -> str:
    """The name with the tag of its weights, if they have one: timm then knows their statistics."""
    tags = tags_of(model)
    return f"{model}.{weights}" if weights in tags and "." not in model else model


def _check_known(model: str, weights: str, tags: dict[str, PretrainedCfg]) -> None:
    """A file does not say how images were normalised: refuse a name that leaves it open."""
    ways = {(tuple(one.mean), tuple(one.std)) for one in tags.values()}
    if "." not in Path(model).name and len(ways) > 1:
        raise ValueError(
            f"companion.weights={weights}: a file does not say how its images were normalised; "
            f"give companion.model={model} the tag of its training, one of {', '.join(tags)}"
        )


def _source(tag: PretrainedCfg) -> dict[str, str]:
    """Where a tag lies, in the words of open_clip."""
    if tag.hf_hub_id:
        return {"hf_hub": f"{tag.hf_hub_id}/{tag.hf_hub_filename or 'model.safetensors'}"}
    return {"url": str(tag.url)}


def _load(model: VisionTransformer, path: Path, name: str) -> str:
    """Fill ``model`` from a file and return the file's sha256. Raises ValueError if it cannot."""
    state = _converted(read_state(path), model)
    check_state(model, state, path, f"{path} does not hold a {name}", PART)
    model.load_state_dict(state)
    return sha256(path)


def _converted(state: dict[str, Tensor], model: VisionTransformer) -> dict[str, Tensor]:
    """Without the parts of training that the model lacks; registers as timm has them.

    DINOv2's own files add a position embedding to the class token and put the registers in after
    it: timm's have it added already.
    """
    own, needed = set(model.state_dict()), ("register_tokens", "cls_token", "pos_embed")
    state = {key: one for key, one in state.items() if key in own or not key.startswith(HEADS)}
    if model.no_embed_class and all(key in state and state[key].ndim == 3 for key in needed):
        positions = state["pos_embed"]
        state["reg_token"] = state.pop("register_tokens")
        state["cls_token"] = state["cls_token"] + positions[:, :1]
        state["pos_embed"] = positions[:, 1:]
    return state


def _provenance(
    model: str, weights: str | None, path: Path | None, digest: str | None, seed: int
) -> Provenance:
    folder = folder_of(model)
    config = files_digest([folder / CONFIG]) if folder else None
    return Provenance(Path(model).name, source_of(weights, path, seed), digest, config)
