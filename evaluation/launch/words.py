"""The dialect of all commands: words ``KEY=VALUE``, as Hydra has them, and how a command ends.

A command is a function ``main`` that reads its words, and ``command(main)`` that runs it.
"""

from __future__ import annotations

import atexit
import difflib
import gc
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evaluation.engines import torchrun
from evaluation.launch.errors import MISTAKES, sentence
from evaluation.places import CONFIGS

OVERRIDE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)=")
KINDS: dict[type, str] = {
    bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path",
    tuple: "numbers in brackets, such as [0.5,1]",
}  # fmt: skip


@dataclass(frozen=True)
class Key:
    """One key of a command: its default, what it says, and what its values must be.

    kind: one of `KINDS`, that of the default if it has one; with None as the default, null stands
    for it. least: the smallest number that is allowed. among: all texts that are allowed.
    """

    default: Any
    says: str
    kind: type | None = None
    least: float | None = None
    among: tuple[str, ...] = ()


def command(main: Callable[[], int | None]) -> None:
    """Run ``main`` and end with the exit code that it returns; never returns.

    A mistake of the user ends in one sentence and exit code 1, with a traceback if the environment
    has GEM_TRACEBACK; Ctrl-C ends with 130, and with what it says of how far the work came. Of
    several ranks of torchrun only the first runs it.
    """
    atexit.register(_search_nothing)
    _sleep_while_waiting()
    if torchrun.launched():
        torchrun.end_with_launcher()
    try:
        if torchrun.follows():
            torchrun.follow()
            sys.exit()
        sys.exit(_lead(main))
    except KeyboardInterrupt as stopped:
        if said := str(stopped):
            sys.stderr.write(f"{said}\n")
        sys.exit(130)
    except MISTAKES as error:
        if os.environ.get("GEM_TRACEBACK"):
            raise
        sys.exit(f"error: {sentence(error)}")


def _search_nothing() -> None:
    """At the end Python would look once more at all of torch for what is not used.

    Not where timm or transformers have brought triton in, whose bindings then print pages about
    what was never freed.
    """
    if "triton" not in sys.modules:
        gc.freeze()


def _sleep_while_waiting() -> None:
    """Threads of torch that wait for each other sleep, and do not keep a busy core by spinning.

    OpenMP reads this once, when torch is imported. What the user has set of it stays.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"} & set(os.environ):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def _lead(main: Callable[[], int | None]) -> int | None:
    alone = False
    try:
        return main()
    except KeyboardInterrupt:  # torchrun has told the others too: nobody is there to be let go
        alone = True
        raise
    finally:
        if not alone:
            torchrun.dismiss()


def read_words(
    doc: str | None, own: Mapping[str, Key], arguments: Sequence[str] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The values of a command's own keys, and all other words in their order.

    ``--help`` prints ``doc`` and the keys, and ends. Raises ValueError for a wrong value, and for
    a word that begins with a dash.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(words):
        print(_help(doc, own))
        sys.exit(0)
    values, others = {name: key.default for name, key in own.items()}, list[str]()
    for word in words:
        name, equals, text = word.partition("=")
        if word.startswith("-"):
            raise ValueError(f"{word}: {_without_dashes(word, own)}")
        if equals and name in own:
            values[name] = _value(word, text, own[name])
        else:
            others.append(word)
    return values, others


def read_keys(
    doc: str | None, own: Mapping[str, Key], arguments: Sequence[str] | None = None
) -> dict[str, Any]:
    """The values of the keys of a command that takes no other words.

    Raises ValueError for another word, and as `read_words`.
    """
    values, others = read_words(doc, own, arguments)
    for word in others:
        raise ValueError(unknown(word, own))
    return values


def split_overrides(
    words: Sequence[str], own: Iterable[str], keys: Iterable[str] | None = None
) -> tuple[list[str], list[str]]:
    """Words for run.py's config, ``IDENTIFIER(.IDENTIFIER)*=...``, and all others.

    own: the command's own keys. keys: those of run.py that mean something here, all unless given.
    Raises ValueError for an override of another key; what is behind a dot, the config knows.
    """
    known = sorted(run_keys() if keys is None else keys)
    overrides, others = list[str](), list[str]()
    for word in words:
        found = OVERRIDE.match(word)
        if found and found[1].split(".")[0] not in known:
            raise ValueError(unknown(word, own, known))
        (overrides if found else others).append(word)
    return overrides, others


def run_keys() -> frozenset[str]:
    """The first parts of all keys that run.py has."""
    config = yaml.safe_load((CONFIGS / "config.yaml").read_text(encoding="utf-8"))
    groups = {path.name for path in CONFIGS.iterdir() if path.is_dir()}
    return frozenset({*config, *groups, "gem"} - {"defaults", "hydra"})


def key_values(words: Sequence[str], example: str) -> dict[str, Any]:
    """Words by key, their values as YAML reads them. Raises ValueError for another word."""
    return dict(_key_value(word, example) for word in words)


def _key_value(word: str, example: str) -> tuple[str, Any]:
    key, _, text = word.partition("=")
    if not key or not text:
        raise ValueError(f"{word or 'an empty word'}: expected KEY=VALUE, such as {example}")
    try:
        return key, yaml.safe_load(text)
    except Exception as error:  # the constructors of PyYAML let any pass for values such as !!int
        raise ValueError(f"{word}: expected a value that YAML can read") from error


def _value(word: str, text: str, key: Key) -> Any:
    """The typed value of a word. Raises ValueError, saying what was expected."""
    kind = key.kind or next(one for one in KINDS if isinstance(key.default, one))
    if key.default is None and text == "null":
        return None
    try:
        value = _typed(text, kind)
    except ValueError:
        value = None
    small = key.least is not None and value is not None and not value >= key.least
    if value is None or small or (key.among and value not in key.among):
        raise ValueError(f"{word}: expected {_expected(key, kind)}")
    return value


def _typed(text: str, kind: type) -> Any:
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower())
    if kind is tuple:
        inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        numbers = tuple(float(item) for item in inner.split(",")) if inner else ()
        return numbers if all(map(math.isfinite, numbers)) else None
    return kind(text) if text else None


def _expected(key: Key, kind: type) -> str:
    what = f"one of {', '.join(key.among)}" if key.among else KINDS[kind]
    if key.least is not None:
        what += f", {key.least:g} or more"
    return f"{what}, or null" if key.default is None else what


def unknown(word: str, own: Iterable[str], more: Sequence[str] = ()) -> str:
    """Why a word is none of the command's, with the keys that there are."""
    own = list(own)
    name, equals, _ = word.partition("=")
    close = difflib.get_close_matches(name.split(".")[0], [*own, *more], n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    what = f"no such key{hint}" if equals else "expected KEY=VALUE"
    run = f"; of run.py: {', '.join(more)}" if more else ""
    return f"{word or 'an empty word'}: {what}; the keys are {', '.join(own)}{run}"


def _without_dashes(word: str, own: Mapping[str, Key]) -> str:
    name, _, text = word.lstrip("-").partition("=")
    name = name.replace("-", "_")
    if name in own:
        return f"keys have no dashes in front, write {name}={text or 'VALUE'}"
    return "words have no dashes in front; expected KEY=VALUE, see --help"


def _help(doc: str | None, own: Mapping[str, Key]) -> str:
    shown = {f"{name}={_written(key.default)}": key.says for name, key in own.items()}
    width = max(map(len, shown), default=0)
    lines = [f"  {word:<{width}}  {says}" for word, says in shown.items()]
    return "\n".join([(doc or "").strip(), "", "Keys, with their defaults:", *lines])


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{','.join(f'{item:g}' for item in value)}]"
    return {"None": "null", "True": "true", "False": "false"}.get(str(value), str(value))
