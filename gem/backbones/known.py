"""What open_clip knows by name: read from its files, without loading it and with it torch.

To say where the weights of a model are, or whether it is supported, needs no model.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from gem.backbones.later import later

TOWERS = ("embed_dim", "vision_cfg", "text_cfg")  # a config without them is none to open_clip
UNUSED = {
    "timm": (),
    "timm.layers": ("AttentionPool2d", "Mlp", "RotAttentionPool2d", "to_2tuple"),
    "torch._dynamo.utils": ("is_compile_supported",),
    "transformers": (
        "AutoConfig", "AutoModel", "AutoTokenizer", "PretrainedConfig",
        "BeamSearchScorer", "EosTokenCriteria", "LogitsProcessorList", "MaxLengthCriteria",
        "MinLengthLogitsProcessor", "RepetitionPenaltyLogitsProcessor", "StopStringCriteria",
        "StoppingCriteriaList", "TopKLogitsWarper", "TopPLogitsWarper",
    ),
    "transformers.modeling_outputs": (
        "BaseModelOutput", "BaseModelOutputWithPooling",
        "BaseModelOutputWithPoolingAndCrossAttentions",
    ),
}  # fmt: skip
"""What open_clip and torchvision import and use nothing of until they make another tower."""
COPY = f"{__package__}._open_clip"
"""The package under whose name open_clip's table of weights is read."""


def load_open_clip() -> ModuleType:
    """open_clip itself, which takes seconds, but without what is only needed by other towers."""
    if "open_clip" in sys.modules:
        return import_module("open_clip")  # which waits, if another thread is at it
    import_module("torch")  # first: what stands in for others is for open_clip to see
    with later(UNUSED):
        return import_module("open_clip")


def model_config(name: str) -> dict[str, Any] | None:
    """The config of a model that open_clip knows by that name; None if it knows none."""
    path = _configs().get(name)
    if path and "open_clip" not in sys.modules:
        content = json.loads(path.read_text(encoding="utf-8"))
        if all(part in content for part in TOWERS):
            found: dict[str, Any] = content
            return found
    known: dict[str, Any] | None = load_open_clip().get_model_config(name)  # also of addresses
    return known and dict(known)


def model_names() -> list[str]:
    """All that open_clip knows."""
    return list(load_open_clip().list_models())


def tag_of(model: str, tag: str) -> dict[str, Any]:
    """What open_clip knows of weights: where they are, how they were trained; empty if nothing."""
    return dict(_weights().get_pretrained_cfg(model, tag))


def tags_of(model: str) -> list[str]:
    """The tags of the weights of a model."""
    return list(_weights().list_pretrained_tags_by_model(model))


def file_names() -> list[str]:
    """What files of weights are called in a repository of the hub."""
    return [_weights().HF_SAFE_WEIGHTS_NAME, _weights().HF_WEIGHTS_NAME]


@cache
def _configs() -> dict[str, Path]:
    return {path.stem: path for path in (_folder() / "model_configs").glob("*.json")}


def _weights() -> ModuleType:
    """open_clip's own module of weights if it is loaded, else one more of the same file."""
    return sys.modules.get("open_clip.pretrained") or _copy()


@cache
def _copy() -> ModuleType:
    package = ModuleType(COPY)
    package.__path__ = [str(_folder())]
    sys.modules[COPY] = package
    with later({"safetensors.torch": (), "huggingface_hub": ("hf_hub_download",)}):
        return import_module(f"{COPY}.pretrained")


def _folder() -> Path:
    found = find_spec("open_clip")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("open_clip is not installed")
    return Path(found.origin).parent
