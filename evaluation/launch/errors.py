"""What a user did wrong, in one sentence."""

from __future__ import annotations

import difflib
import re
import sys

import yaml
from hydra.errors import (
    HydraException,
    InstantiationException,
    OverrideParseException,
)
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from evaluation.places import CONFIGS

MISTAKES = (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError, OSError)
"""What a mistake of the user raises; anything else is a mistake of ours."""
PREPARE = "; scripts/prepare.py says what to get and where it goes"
NO_SUCH_CHOICE = re.compile(r"Could not (?:find|load) '((?:hydra/)?[^'/]+)/([^']+)'")
NO_COMPANION = "the method reads no companion; leave the word out, or choose method=proxyclip"
LONGEST = 1000  # letters of a sentence


def sentence(error: Exception) -> str:
    """What a user did wrong, in one line: the key, what was found, what was expected.

    Of what cannot be printed escapes are shown, and of what is very long the ends.
    """
    said = " ".join(_said(error).split()) or type(error).__name__
    if len(said) > LONGEST:
        said = f"{said[: LONGEST // 2]} ... {said[-LONGEST // 4 :]}"
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in said)


def _said(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, InstantiationException) else None
    validation = error if isinstance(error, ValidationError) else cause
    if isinstance(validation, ValidationError):
        return _invalid(validation, str(error))
    if isinstance(error, OverrideParseException):
        return unreadable(str(error.override), str(error))
    return _known(str(error)) or _with_key(error)


def _known(text: str) -> str:
    """What Hydra says of words that compose to nothing, said better; empty for anything else."""
    if wrong := NO_SUCH_CHOICE.search(text):
        group, name = wrong.groups()
        choices = ", ".join(re.findall(r"^\t(\w+)$", text, re.MULTILINE))
        return f"{group}={name}: no such choice; {group} is one of {choices}"
    if found := re.search(r"Could not override '([^']+)'", text):
        if re.split(r"[.@]", found[1])[0] == "companion":
            return f"{found[1]}: {NO_COMPANION}{_swept(found[1])}"
        owner = "; gem.* are options of method=gem" if found[1].startswith("gem.") else ""
        return f"{found[1]}: this config has no such key{_near(found[1])}{owner}{_swept(found[1])}"
    if found := re.match(r"Ambiguous value for argument '(.*?)'\s*\n1\. ", text, re.DOTALL):
        return f"{found[1]}: several values; -m sweeps over them, [A,B] is a list of them"
    if found := re.match(r"Error merging override (.*)", text, re.DOTALL):
        return f"{found[1]}: a value of another kind than what it replaces"
    return ""


def _with_key(error: Exception) -> str:
    """The error's own text, with the key of the config if it has one."""
    said = re.split(r"\n\s*full_key: |See https://", str(error))[0]
    said = re.sub(r"^Missing mandatory value: (\S+)", r"\1: expected a value, \1=VALUE", said)
    key = str(getattr(error, "full_key", None) or "")
    if key not in said:
        said = f"{key}: {said}"
    return said + PREPARE if said.startswith("dataset.root=") else said


def unreadable(word: str, text: str) -> str:
    """Why Hydra's parser does not take a word."""
    key, equals, _ = word.partition("=")
    if not equals:
        return f"{word or 'an empty word'}: expected KEY=VALUE"
    if found := re.search(r"while evaluating '.*?': (.*)", text, re.DOTALL):
        return f"{word}: {found[1]}"
    return (
        f"{word}: expected KEY=VALUE; a VALUE with special characters stands in quotes that reach "
        f"this program: \"{key}='VALUE'\""
    )


def _near(key: str) -> str:
    """The nearest key that a YAML of the same part has, if there is one but the key itself."""
    first, *inner = key.split(".")
    if not inner:
        return ""
    part = CONFIGS / ("method" if first == "gem" else re.split("[/@]", first)[0])
    texts = [path.read_text(encoding="utf-8") for path in sorted(part.glob("*.yaml"))]
    names = re.findall(r"^\s*([a-z]\w*):", "\n".join(texts), re.MULTILINE)
    near = difflib.get_close_matches(inner.pop(), sorted({*names}), n=1)
    close = ".".join([first, *inner, *near])
    return f" (did you mean {close}?)" if near and close != key else ""


def _swept(key: str) -> str:
    """Before a sweep Hydra sets fixed keys on the defaults, without the parts that are swept."""
    fixed = [word.partition("=")[2] for word in sys.argv if word.startswith(f"{key}=")]
    if not fixed or fixed[0].startswith("choice(") or not {"-m", "--multirun"} & set(sys.argv):
        return ""
    return f"; if only what is swept over has it, write {key}=choice({fixed[0]})"


def _invalid(error: ValidationError, context: str) -> str:
    """The first wrong value of an options object, with the key that sets it."""
    node = re.search(r"full_key: (\S+)", context)
    prefix = node[1] if node else ""
    prefix = "gem" if prefix == "method" and error.title == "Gem" else prefix
    wrong = error.errors()
    place, value = wrong[0]["loc"][:1], wrong[0]["input"]
    same = [item for item in wrong if item["loc"][:1] == place]
    said = [item["msg"] for item in same if item["input"] is value or item["input"] == value]  # nan
    messages = [text.removeprefix("Value error, ") for text in said]
    messages = [text[:1].lower() + text[1:] for text in messages]
    key = ".".join(filter(None, (prefix, *map(str, place)))) or error.title
    shown = f"={value}" if place else ""  # a rule about several values has no place of its own
    return f"{key}{shown}: {', or '.join(messages)}"
