"""What a model's config says of it: the file of a folder, or a name that open_clip knows."""

import difflib
import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gem.backbones.known import load_open_clip, model_config, model_names
from gem.hub.hashes import files_digest

EMBEDDED = Path(__file__).parent / "tiny"
CONFIG, WORDS = "open_clip_config.json", "vocabulary.txt"  # the files of a model's folder
TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.model",
    "spiece.model", "vocab.txt", "vocab.json", "merges.txt",
)  # fmt: skip
"""The files of a tokenizer of the package `transformers`, of which each has some."""
SUPPORTED = (
    "supported are open_clip's own VisionTransformer, timm's and its EVA02, and open_clip's own "
    "text tower"
)


class ConfigPart(BaseModel):
    """A part of a config: sizes that make a model in finite time; open_clip checks the others."""

    model_config = ConfigDict(strict=True, extra="allow")


Layers = Annotated[int, Field(ge=1, le=1000)]
Width = Annotated[int, Field(ge=1, le=2**16)]


def own_size(part: str, name: str) -> Any:
    """What open_clip takes for a size that a config leaves out."""
    return getattr(getattr(load_open_clip(), part), name)


def _own_size(part: str, name: str) -> Any:
    return Field(default_factory=partial(own_size, part, name))


class _ImageTower(ConfigPart):
    layers: Layers | list[int] = _own_size("CLIPVisionCfg", "layers")
    width: Width = _own_size("CLIPVisionCfg", "width")
    patch_size: Annotated[int, Field(ge=1, le=1024)] | list[int] = _own_size(
        "CLIPVisionCfg", "patch_size"
    )
    image_size: Annotated[int, Field(ge=1, le=8192)] | list[int] = _own_size(
        "CLIPVisionCfg", "image_size"
    )

    @model_validator(mode="after")
    def _has_a_patch(self) -> Self:
        side, patch = self.image_size, self.patch_size
        if isinstance(side, int) and isinstance(patch, int) and side < patch:
            raise ValueError(f"an image of {side} pixels has no patch of {patch}")
        return self


class _TextTower(ConfigPart):
    layers: Layers = _own_size("CLIPTextCfg", "layers")
    width: Width = _own_size("CLIPTextCfg", "width")
    context_length: Width = _own_size("CLIPTextCfg", "context_length")
    vocab_size: Annotated[int, Field(ge=1, le=2**22)] = _own_size("CLIPTextCfg", "vocab_size")


class _Model(ConfigPart):
    embed_dim: Width
    vision_cfg: _ImageTower
    text_cfg: _TextTower


class _File(ConfigPart):
    model_cfg: _Model


def config_of(name: str) -> dict[str, Any]:
    """Towers of a folder's ``open_clip_config.json`` or of a name that open_clip knows."""
    folder = folder_of(name)
    if folder:
        found: dict[str, Any] = read_config(folder / CONFIG, _File)["model_cfg"]
        return found
    known = model_config(name)
    if known is None:
        close = difflib.get_close_matches(name, model_names(), n=3)
        hint = f"; close are {', '.join(close)}" if close else ""
        raise ValueError(f"backbone.model={name}: neither a folder nor a model of open_clip{hint}")
    return known


def own_quick_gelu(name: str) -> bool:
    """The activation that the model's own config names."""
    return bool(config_of(name).get("quick_gelu", False))


def config_digest(name: str) -> str | None:
    """Twelve hexadecimal digits for the files of a folder that say what its model is; else None."""
    folder = folder_of(name)
    if folder is None:
        return None
    return files_digest([folder / name for name in (CONFIG, WORDS, *TOKENIZER)])


def folder_of(name: str) -> Path | None:
    """The folder that holds the model: the embedded one for ``tiny``; None for open_clip's own."""
    if name == "tiny":
        return EMBEDDED
    return Path(name) if Path(name).is_dir() else None


def check_supported(name: str, config: dict[str, Any]) -> None:
    """Raise ValueError, naming what is not supported.

    What a tower of timm has is looked at by `gem.backbones.open_timm`.
    """
    vision, text = config["vision_cfg"], config["text_cfg"]
    reasons = {
        "a ResNet image tower": isinstance(vision.get("layers"), list),
        "attention pooling": bool(vision.get("attentional_pool")),
        "no pooling": vision.get("pool_type", "tok") not in {"tok", "avg"},
        "patches that are not square": isinstance(vision.get("patch_size"), list),
        "a custom block type": bool(vision.get("block_type")),
        "q-k normalisation": bool(vision.get("qk_norm")),
        "scaled attention": any(value for key, value in vision.items() if key.startswith("scale")),
        "a Hugging Face text tower": "hf_model_name" in text,
        "a caption decoder": "multimodal_cfg" in config,
    }
    found = [reason for reason, present in reasons.items() if present]
    if found:
        raise ValueError(f"backbone.model={name} has {' and '.join(found)}; {SUPPORTED}")


def read_config(path: Path, expected: type[ConfigPart], part: str = "backbone") -> dict[str, Any]:
    """The content of a model's config, as it is written.

    Raises ValueError, naming the file, unless it has what is ``expected``. ``part`` is the key of
    the model in the config of the evaluation.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{part}.model={path.parent}: the folder has no {path.name}")
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        expected.model_validate(content)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"])) or "it"
        raise ValueError(
            f"{path}: {place}: {wrong['msg'].removeprefix('Value error, ').lower()}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read as a config: {error}") from error
    return content
