"""The files of a model in the format of the Hugging Face hub: found, downloaded, hashed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gem.hub import EXTRA
from gem.hub.hashes import files_digest, sha256
from gem.hub.network import reach
from gem.provenance import Provenance

CONFIG = "config.json"
WORDS = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt")
PIECES = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model")
TEXT = (CONFIG, *WORDS, "special_tokens_map.json", "preprocessor_config.json")
WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")  # whole or in several files; the first kind
NAME = re.compile(r"[\w.-]+/[\w.-]+")


def is_folder(model: str) -> bool:
    """Whether a model is a folder; no name at all is not the folder at hand."""
    return bool(model.strip()) and Path(model).is_dir()


def find_folder(model: str, revision: str | None, part: str) -> Path:
    """The folder of a model: itself, or what the hub has under the name ``OWNER/NAME``.

    What is on this machine is taken at once, else it is downloaded if the hub answers. ``part`` is
    the key of the model in the config. Raises ValueError for what is no model's name or a revision
    that is not there, and, before anything is downloaded, without the package `transformers`;
    ConnectionError if there is no network.
    """
    if is_folder(model):
        if revision is not None:
            raise ValueError(
                f"{part}.revision={revision}: {model} is a folder, it has no revisions"
            )
        return Path(model)
    if not NAME.fullmatch(model) or Path(model).suffix == ".pth":
        raise ValueError(f"{part}.model={model}: neither a folder nor a name of the hub")
    if found := _on_this_machine(model, revision):
        return found
    if find_spec("transformers") is None:
        raise ValueError(f"{part}: {EXTRA}")
    return _downloaded(model, revision, part)


def known_folder(model: str, revision: str | None) -> Path | None:
    """The folder of a model if its config is on this machine, with or without weights.

    A folder is taken as it is.
    """
    if is_folder(model):
        return Path(model)
    found = _snapshot(model, revision) if NAME.fullmatch(model) else None
    return found if found and (found / CONFIG).is_file() else None


def config_content(folder: Path, kinds: Collection[str], part: str) -> dict[str, Any]:
    """What the config of a model's folder holds, as it is written; ``kinds`` are its model types.

    Raises FileNotFoundError or ValueError, naming the file, for one that is missing, broken, or of
    another architecture.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise FileNotFoundError(f"{part}.model={folder}: the folder has no {CONFIG}")
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found = content["model_type"]
        known = isinstance(found, str) and found in kinds
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise ValueError(f"{path} cannot be read as the config of a model: {error!r}") from error
    if not known:
        raise ValueError(f"{path} is of a {found}, expected {' or '.join(kinds)}")
    return content


def weight_files(folder: Path) -> list[Path]:
    """The files of the weights, sorted; safetensors if there are any. Empty if there are none."""
    for pattern in WEIGHTS:
        if found := sorted(folder.glob(pattern)):
            return found
    return []


def provenance_of(model: str, folder: Path | None, *, random: bool, seed: int) -> Provenance:
    """Where the numbers of a model come from; hashes the files of published weights."""
    name = Path(model).name
    config = files_digest([folder / one for one in (CONFIG, *WORDS)]) if folder else None
    if random or folder is None:
        return Provenance(name, f"random, seed {seed}", sha256=None, config=config)
    source = folder.name if is_folder(model) else model
    return Provenance(name, source, _digest(weight_files(folder)), config)


def _digest(paths: list[Path]) -> str:
    """The hash of the only file, or of the names and hashes of several."""
    if len(paths) == 1:
        return sha256(paths[0])
    lines = "".join(f"{path.name} {sha256(path)}\n" for path in paths)
    return hashlib.sha256(lines.encode()).hexdigest()


def _snapshot(model: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError):
        return None


def _on_this_machine(model: str, revision: str | None) -> Path | None:
    """A snapshot that is whole, as far as can be told."""
    folder = _snapshot(model, revision)
    return folder if folder and (folder / CONFIG).is_file() and weight_files(folder) else None


def find_words(repository: str, part: str, way_out: str) -> Path:
    """The folder of a tokenizer of the hub: on this machine, else downloaded without a model.

    Raises ConnectionError, which says ``way_out``, if there is no network, and ValueError if the
    hub has no such files.
    """
    from huggingface_hub import constants, snapshot_download

    held = _snapshot(repository, None)
    if held and any((held / name).is_file() for name in (*WORDS, *PIECES)):
        return held
    try:
        reach(constants.ENDPOINT)
        folder = Path(snapshot_download(repository, allow_patterns=[*TEXT, *PIECES]))
    except Exception as error:  # what the hub, httpx and the disk raise has no common kind
        said = " ".join(str(error).split()) or type(error).__name__
        raise ConnectionError(
            f"the tokenizer {repository} is not on this machine and cannot be downloaded from "
            f"{constants.ENDPOINT} ({said}): {way_out}"
        ) from error
    if not any((folder / name).is_file() for name in (*WORDS, *PIECES)):
        raise ValueError(f"{part}: the hub's {repository} has no files of a tokenizer")
    return folder


def _downloaded(model: str, revision: str | None, part: str) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        reach(constants.ENDPOINT)
    except ConnectionError as error:
        raise ConnectionError(
            f"{model} is not on this machine and {constants.ENDPOINT} cannot be reached ({error}): "
            f"download it elsewhere and give {part}.model=FOLDER, or {part}.weights=null for "
            "random weights, whose scores mean nothing"
        ) from error
    try:
        for pattern in WEIGHTS:
            wanted = [*TEXT, pattern, f"{pattern}.index.json"]
            folder = Path(snapshot_download(model, revision=revision, allow_patterns=wanted))
            if weight_files(folder):
                break
    except RevisionNotFoundError as error:
        raise ValueError(f"{part}.revision={revision}: {model} has no such revision") from error
    except RepositoryNotFoundError as error:
        raise ValueError(f"{part}.model={model}: the hub has no such model") from error
    except Exception as error:  # what the hub, httpx and the disk raise has no common kind
        said = " ".join(str(error).split()) or type(error).__name__
        raise ConnectionError(f"{model} cannot be downloaded: {said}") from error
    return folder
