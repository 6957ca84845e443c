"""Settings from their descriptions: the inverse of `evaluation.setting.setting.describe`."""

from __future__ import annotations

import dataclasses
from importlib import import_module
from typing import Any

from pydantic import ValidationError

OWN = (
    "gem.",
    "evaluation.",
)  # a record is a file from anywhere: it may build options, not run code


def rebuild(description: Any) -> Any:
    """The object that plain data with ``_target_`` describes; plain data as it is.

    Builds options objects of ``gem`` and ``evaluation`` only. Raises ValueError for anything else,
    and for options that this version of the code does not have or accept.
    """
    if isinstance(description, list):
        return [rebuild(item) for item in description]
    if not isinstance(description, dict):
        return description
    built = {name: rebuild(item) for name, item in description.items() if name != "_target_"}
    if "_target_" not in description:
        return built
    target = description["_target_"]
    try:
        return options_class(target)(**built)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise ValueError(f"{target}: {place}={wrong['input']!r}: {wrong['msg'].lower()}") from error
    except TypeError as error:
        raise ValueError(f"{target}: {error}") from error


def options_class(target: object) -> Any:
    """The options class of that name. Raises ValueError if there is none, or it is not ours."""
    if not isinstance(target, str) or not target.startswith(OWN):
        raise ValueError(f"_target_ {target!r}: only options of gem and evaluation can be rebuilt")
    module, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module), name, None)
    except ModuleNotFoundError:
        found = None
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ValueError(f"_target_ {target!r}: there is no such options class")
    if not found.__module__.startswith(OWN):
        raise ValueError(f"_target_ {target!r}: only options of gem and evaluation can be rebuilt")
    return found
