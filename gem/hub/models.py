"""Models of `transformers` as they are needed here: of one architecture, whole and finite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from gem.hub import EXTRA
from gem.hub.files import CONFIG, config_content, weight_files


def library(part: str) -> ModuleType:
    """The package `transformers`. Raises ValueError, which says what to install, without it."""
    try:
        return import_module("transformers")
    except ImportError:
        raise ValueError(f"{part}: {EXTRA}") from None


def read_config(folder: Path, kinds: Mapping[str, str], part: str) -> Any:
    """The configuration of a model's folder.

    kinds: names of configuration classes by the ``model_type`` that files have. Raises
    FileNotFoundError or ValueError, naming the file, for one that is missing, broken, or of another
    architecture.
    """
    content, path = config_content(folder, kinds, part), folder / CONFIG
    try:
        return getattr(library(part), kinds[content["model_type"]]).from_dict(content)
    except Exception as error:  # every class checks its values in its own way
        said = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: {said}") from error


def random_model(name: str, config: Any, seed: int, part: str) -> nn.Module:
    """An untrained model with the parameters of the seed; the caller's RNG is left alone.

    Raises ValueError for a configuration of which no model can be built.
    """
    with torch.random.fork_rng(devices=[]), quiet(part):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed seeds the GPU too
        try:
            model: nn.Module = getattr(library(part), name)(config)
        except Exception as error:  # the library believes most values, torch some of them
            said = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(
                f"{part}.model: no {name} can be built of its config: {said}"
            ) from error
    return model.eval().requires_grad_(requires_grad=False)


def load_model(name: str, folder: Path, config: Any, part: str) -> nn.Module:
    """A model with the weights of its folder, float32. No pickled code is run.

    Raises FileNotFoundError or ValueError, naming the folder or the tensor, for weights that are
    missing, broken, of another architecture, or not finite.
    """
    files = weight_files(folder)
    if not files:
        raise FileNotFoundError(
            f"{part}.model={folder}: the folder has no model.safetensors or pytorch_model.bin"
        )
    options = {"local_files_only": True, "output_loading_info": True, "dtype": torch.float32}
    safe = files[0].suffix == ".safetensors"
    with quiet(part):
        try:
            model, info = getattr(library(part), name).from_pretrained(
                str(folder), config=config, use_safetensors=safe, **options
            )
        except Exception as error:  # broken bytes and other shapes lead it to any
            said = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"{files[0]} cannot be read as a {name}: {said[:300]}") from error
    _check_whole(info, files[0], name)
    _check_finite(model, files[0])
    found: nn.Module = model.eval().requires_grad_(requires_grad=False)
    return found


def _check_whole(info: Mapping[str, Any], path: Path, name: str) -> None:
    """What the library fills with random numbers, or converts, without an error."""
    if lacking := sorted(info.get("missing_keys", ())):
        raise ValueError(f"{path} does not hold a {name}: it lacks {lacking[0]}")
    if other := sorted(info.get("mismatched_keys", ())):
        raise ValueError(f"{path} does not hold a {name}: {other[0]} is of another shape")


def _check_finite(model: nn.Module, path: Path) -> None:
    for key, value in chain(model.named_parameters(), model.named_buffers()):
        if not value.isfinite().all():
            count = int((~value.isfinite()).sum())
            raise ValueError(
                f"{path}: {key} holds {count} values that are not finite (nan or infinite)"
            )


@contextmanager
def quiet(part: str) -> Iterator[None]:
    """Without the library's warnings and progress bars: what matters of them is an error here."""
    logging = library(part).logging
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
