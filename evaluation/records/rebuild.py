"""Settings from their descriptions: the inverse of `evaluation.setting.identity.describe`.

A record is a file from anywhere. What it may do is build options objects of this program, which
touches no files and runs nothing. What is done with the setting then reads the files that it names
(data, weights, label maps), as a command line with the same words would, and writes none of them.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Any, get_args, get_type_hints

from pydantic import ValidationError
from pydantic.dataclasses import is_pydantic_dataclass

from evaluation.records.schema import short

OWN = ("gem.", "evaluation.")
FOREIGN = "only options of gem and evaluation can be rebuilt"
NAME = re.compile(r"(gem|evaluation)(\.[A-Za-z_]\w*){1,8}", re.ASCII)


def rebuild(description: Any) -> Any:
    """The object that plain data with ``_target_`` describes; plain data as it is.

    Builds options objects of ``gem`` and ``evaluation`` only. Raises ValueError for anything else,
    and for options that this version of the code does not have or accept.
    """
    if isinstance(description, list):
        return [rebuild(item) for item in description]
    if not isinstance(description, dict):
        return description
    parts = {name: rebuild(item) for name, item in description.items() if name != "_target_"}
    if "_target_" not in description:
        return parts
    target = description["_target_"]
    try:
        built = options_class(target)(**parts)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        said = wrong["msg"].lower()
        raise ValueError(f"{target}: {place}={short(wrong['input'])}: {said}") from error
    except TypeError as error:
        raise ValueError(f"{target}: {error}") from error
    _check_interfaces(target, built)
    return built


def options_class(target: object) -> Any:
    """The options class of that name. Raises ValueError if there is none, or it is not ours."""
    if not isinstance(target, str) or not target.startswith(OWN):
        raise ValueError(f"_target_ {short(target)}: {FOREIGN}")
    module, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module), name, None) if NAME.fullmatch(target) else None
    except ImportError:
        found = None
    if not (isinstance(found, type) and is_pydantic_dataclass(found)):
        raise ValueError(f"_target_ {short(target)}: there is no such options class")
    if not found.__module__.startswith(OWN):
        raise ValueError(f"_target_ {short(target)}: {FOREIGN}")
    return found


def _check_interfaces(target: str, built: Any) -> None:
    """Raise ValueError where a field that is an interface holds something else.

    Its class is asked: to ask the object would compute its properties.
    """
    cls: Any = type(built)
    for name, interface in _interfaces(cls).items():
        held = type(getattr(built, name))
        asked = {*vars(interface), *vars(interface).get("__annotations__", ())}
        if not all(hasattr(held, one) for one in asked if not one.startswith("_")):
            expected = interface.__name__.lower()
            raise ValueError(f"{target}: {name}: expected a {expected}, found a {held.__name__}")


@cache
def _interfaces(cls: Any) -> dict[str, type]:
    """The fields of an options class whose values pydantic does not check, with their protocols."""
    hints = get_type_hints(cls, include_extras=True)
    parts = {name: get_args(hint) for name, hint in hints.items()}
    return {
        name: first
        for name, (first, *more) in ((name, found) for name, found in parts.items() if found)
        if any(type(one).__name__ == "SkipValidation" for one in more)
    }
