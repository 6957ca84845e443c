"""Weights: found, read without running pickled code, checked against the model, hashed."""

import hashlib
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import open_clip
import torch
from huggingface_hub import constants, try_to_load_from_cache
from open_clip import CLIP, CustomTextCLIP
from open_clip.pretrained import (
    HF_SAFE_WEIGHTS_NAME,
    HF_WEIGHTS_NAME,
    download_pretrained,
    get_pretrained_cfg,
    list_pretrained_tags_by_model,
)
from safetensors.torch import load_file
from torch import Tensor

from gem.backbones.fitting import fit_state
from gem.backbones.model_config import folder_of, own_quick_gelu

REACH_SECONDS = 4.0


def resolve(model: str, weights: str, quick_gelu: bool | None) -> tuple[Path, bool]:
    """The weight file and whether it wants QuickGELU.

    ``weights`` is a file, ``embedded`` (beside the model's config) or a tag of the model, which is
    downloaded if it is not on this machine.
    Raises ValueError for an unknown tag, an activation that is not given or contradicts the tag,
    FileNotFoundError for a file that is not there, ConnectionError if there is no network.
    """
    if weights == "embedded":
        return embedded(model, folder_of(model)), _agreed(
            model, weights, own_quick_gelu(model), quick_gelu
        )
    if path := given_file(weights):
        if quick_gelu is None:
            raise ValueError(
                f"backbone.weights={weights}: a file does not say its activation; set "
                "backbone.quick_gelu=true (OpenAI, MetaCLIP, DFN) or false (OpenCLIP, DataComp)"
            )
        return path, quick_gelu
    tag = get_pretrained_cfg(model, weights)
    if not tag:
        tags = ", ".join(list_pretrained_tags_by_model(model)) or "none"
        raise ValueError(
            f"backbone.weights={weights}: neither a .safetensors or .pt file nor a tag of {model}, "
            f"which has: {tags}"
        )
    wanted = _agreed(model, weights, bool(tag.get("quick_gelu", False)), quick_gelu)
    return fetch(model, weights, tag), wanted


def given_file(weights: str, part: str = "backbone") -> Path | None:
    """The file that ``weights`` names; None if it is the name of something else.

    ``part`` is the key of the model in the config. Raises FileNotFoundError if it is not there.
    """
    if Path(weights).suffix not in {".safetensors", ".pt", ".pth", ".bin"}:
        return None
    if not Path(weights).is_file():
        raise FileNotFoundError(f"{part}.weights={weights}: there is no such file")
    return Path(weights)


def load_weights(model: CLIP | CustomTextCLIP, path: Path, name: str) -> str:
    """Fill ``model`` from a file and return the file's sha256.

    Position embeddings of another grid are resized as open_clip does. Raises ValueError if the
    file cannot be read or is of another architecture, if a tensor holds nan or infinite values, or
    would in the precision of the model; the model is then not to be used.
    """
    state = read_state(path)
    if "input_resolution" in state and not _quick(model):
        raise ValueError(
            f"backbone.quick_gelu=false, but {path} is an OpenAI release, trained with QuickGELU"
        )
    for key in ("input_resolution", "context_length", "vocab_size"):
        state.pop(key, None)
    if "positional_embedding" in state and not hasattr(model, "positional_embedding"):
        state = open_clip.model.convert_to_custom_text_state_dict(state)
    fit_state(model, state, path, f"{path} does not hold a {name}")
    model.load_state_dict(state)
    return sha256(path)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors`` file, a ``.pt`` state dict or an OpenAI archive."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if _is_torchscript(path):
            archive: Any = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
            return dict(archive.state_dict())
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # broken bytes lead an unpickler to any
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path} cannot be read as model weights: {reason}") from error
    state = found.get("state_dict", found) if isinstance(found, Mapping) else None
    if not isinstance(state, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise ValueError(f"{path} holds no state dict of tensors")
    return {key.removeprefix("module."): value for key, value in state.items()}


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _agreed(model: str, weights: str, wanted: bool, given: bool | None) -> bool:
    """The activation of the weights; ValueError if another was given."""
    if given is not None and given != wanted:
        raise ValueError(
            f"backbone.quick_gelu={str(given).lower()}, but the weights {weights} of {model} "
            f"were trained with quick_gelu={str(wanted).lower()}"
        )
    return wanted


def embedded(model: str, folder: Path | None, part: str = "backbone") -> Path:
    """The weights beside a model's config. Raises ValueError if there are none."""
    if folder is None or not (folder / "model.safetensors").is_file():
        raise ValueError(f"{part}.weights=embedded: {model} comes without weights in its folder")
    return folder / "model.safetensors"


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(entry.endswith("constants.pkl") for entry in archive.namelist())


def _quick(model: torch.nn.Module) -> bool:
    return any(type(part).__name__ == "QuickGELU" for part in model.modules())


def fetch(
    model: str,
    tag: str,
    source: Mapping[str, str],
    part: str = "backbone",
    way_out: str = "use backbone=tiny, which is embedded",
) -> Path:
    """The file of a tag: from the cache at once, else downloaded if the host answers.

    ``source`` has a ``url``, or ``hf_hub``, a repository with the name of a file or a slash.
    Raises ConnectionError, which says what to do instead.
    """
    repository, filename = os.path.split(source.get("hf_hub", ""))
    names = [filename] if filename else [HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME]
    names = [Path(name).with_suffix(".safetensors").name for name in names] + names
    for name in names if repository else []:
        cached = try_to_load_from_cache(repository, name)
        if isinstance(cached, str):
            return Path(cached)
    host = constants.ENDPOINT if repository else source.get("url", "")
    downloaded = Path.home() / ".cache" / "clip" / Path(host).name  # where open_clip puts addresses
    if not repository and downloaded.is_file() and _is_published(downloaded, host):
        return downloaded
    try:
        if constants.HF_HUB_OFFLINE:
            raise httpx.ConnectError("HF_HUB_OFFLINE is set")
        httpx.head(host, timeout=REACH_SECONDS)
    except httpx.HTTPError as error:
        raise ConnectionError(
            f"the weights {tag} of {model} are not on this machine and {host} cannot be reached "
            f"({error}): download them elsewhere and give {part}.weights=FILE, or {way_out}"
        ) from error
    try:
        return Path(download_pretrained(dict(source)))
    except Exception as error:  # what open_clip, the hub and urllib raise has no common kind
        raise ConnectionError(
            f"the weights {tag} of {model} cannot be downloaded from {host}: "
            f"{error or type(error).__name__}"
        ) from error


def _is_published(path: Path, url: str) -> bool:
    """Whether a file is whole, by the beginning of its hash that the address holds, if it does."""
    hashes = re.findall(r"[0-9a-f]{8,64}", url)
    return not hashes or sha256(path).startswith(tuple(hashes))
