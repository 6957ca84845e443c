"""The dialect of all commands: words ``KEY=VALUE``, as Hydra has them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def read_words(
    doc: str | None,
    own: Mapping[str, Any],
    arguments: Sequence[str] | None = None,
    *,
    metavar: str = "KEY=VALUE",
) -> tuple[dict[str, Any], list[str]]:
    """The command's own words as typed values, and all other words in their order.

    own: each key with its default, whose type its value must have; a default of None takes a
    whole number or text. ``--help`` prints ``doc``. Raises ValueError for a value of another type.
    """
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=doc, formatter_class=raw)
    parser.add_argument("words", nargs="*", metavar=metavar)
    values, rest = dict(own), list[str]()
    for word in parser.parse_args(arguments).words:
        key, equals, text = word.partition("=")
        if equals and key in own:
            values[key] = _typed(key, text, own[key])
        else:
            rest.append(word)
    return values, rest


def key_values(words: Sequence[str], example: str) -> dict[str, Any]:
    """Words by key, their values as YAML reads them. Raises ValueError for another word."""
    for word in words:
        if not word.partition("=")[2]:
            raise ValueError(f"{word}: expected KEY=VALUE, such as {example}")
    return {key: yaml.safe_load(text) for key, text in (word.split("=", 1) for word in words)}


def _typed(key: str, text: str, default: object) -> Any:
    value = text if isinstance(default, str) else yaml.safe_load(text)
    kind = type(default)
    if default is None or (isinstance(value, kind) and (kind is bool) == isinstance(value, bool)):
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"{key}={text}: expected {KINDS[kind]}")
