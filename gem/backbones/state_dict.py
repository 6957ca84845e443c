"""State dicts: read without running pickled code, checked against the model, loaded into it."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip import CLIP, CustomTextCLIP
from safetensors.torch import load_file
from torch import Tensor

from gem.backbones.fitting import fit_state
from gem.hub.hashes import sha256

FORMATS = (
    "a .safetensors file, a .pt, .pth or .bin file of a state dict, or a TorchScript archive as "
    "OpenAI's"
)


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
    """The tensors of a ``.safetensors`` file, a ``.pt`` state dict or an OpenAI archive.

    A state dict may be part of what training saved, as ``state_dict`` or ``model``.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if _is_torchscript(path):
            archive: Any = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
            return dict(archive.state_dict())
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # broken bytes lead an unpickler to any
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"{path} cannot be read as model weights: {reason}; expected {FORMATS}"
        ) from error
    state = found
    for key in ("state_dict", "model"):  # of training: the second is BLIP's
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise ValueError(f"{path} holds no state dict of tensors, expected {FORMATS}")
    return {key.removeprefix("module."): value for key, value in state.items()}


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(entry.endswith("constants.pkl") for entry in archive.namelist())


def _quick(model: torch.nn.Module) -> bool:
    return any(type(part).__name__ == "QuickGELU" for part in model.modules())
