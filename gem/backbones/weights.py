"""Weights: found, downloaded if need be, and hashed. Nothing of them is read, nor torch loaded."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from gem.backbones.known import file_names, tag_of, tags_of
from gem.backbones.model_config import config_digest, folder_of, own_quick_gelu
from gem.hub.hashes import sha256
from gem.hub.network import reach
from gem.provenance import Provenance


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
    tag = tag_of(model, weights)
    if not tag:
        tags = ", ".join(tags_of(model)) or "none"
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
    from huggingface_hub import constants

    repository, filename = os.path.split(source.get("hf_hub", ""))
    names = [filename] if filename else file_names()
    names = [Path(name).with_suffix(".safetensors").name for name in names] + names
    for name in names if repository else []:
        if path := cached(repository, name):
            return path
    host = constants.ENDPOINT if repository else source.get("url", "")
    downloaded = Path.home() / ".cache" / "clip" / Path(host).name  # where open_clip puts addresses
    if not repository and downloaded.is_file() and _is_published(downloaded, host):
        return downloaded
    try:
        reach(host)
    except ConnectionError as error:
        raise ConnectionError(
            f"the weights {tag} of {model} are not on this machine and {host} cannot be reached "
            f"({error}): download them elsewhere and give {part}.weights=FILE, or {way_out}"
        ) from error
    try:
        return download(source)
    except Exception as error:  # what open_clip, the hub and urllib raise has no common kind
        raise ConnectionError(
            f"the weights {tag} of {model} cannot be downloaded from {host}: "
            f"{error or type(error).__name__}"
        ) from error


def cached(repository: str, name: str) -> Path | None:
    """The file of a repository of the hub, if it is on this machine."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, name)
    return Path(found) if isinstance(found, str) else None


def download(source: Mapping[str, str]) -> Path:
    """The file of a tag, downloaded as open_clip does it."""
    from open_clip.pretrained import download_pretrained

    return Path(download_pretrained(dict(source)))


def _is_published(path: Path, url: str) -> bool:
    """Whether a file is whole, by the beginning of its hash that the address holds, if it does."""
    hashes = re.findall(r"[0-9a-f]{8,64}", url)
    return not hashes or sha256(path).startswith(tuple(hashes))


def provenance_of(
    model: str, weights: str | None, *, quick_gelu: bool | None, seed: int
) -> Provenance:
    """What `gem.backbones.loading.load_towers` would say of the model, without building it.

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
