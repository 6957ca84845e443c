"""What a user did wrong, in one sentence."""

from __future__ import annotations

import re
import sys

from hydra.errors import HydraException, InstantiationException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

MISTAKES = (HydraException, OmegaConfBaseException, ValueError, OSError)
"""What a mistake of the user raises; anything else is a mistake of ours."""
PREPARE = "; scripts/prepare.py says what to get and where it goes"
NO_SUCH_CHOICE = re.compile(r"Could not (?:find|load) '([^'/]+)/([^']+)'")


def sentence(error: Exception) -> str:
    """What a user did wrong, in one line: the key, what was found, what was expected."""
    cause = error.__cause__ if isinstance(error, InstantiationException) else None
    validation = error if isinstance(error, ValidationError) else cause
    if isinstance(validation, ValidationError):
        return _invalid(validation, str(error))
    text = str(error)
    if isinstance(error, MissingConfigException) and (wrong := NO_SUCH_CHOICE.search(text)):
        group, name = wrong.groups()
        choices = ", ".join(re.findall(r"^\t(\w+)$", text, re.MULTILINE))
        return f"{group}={name}: no such choice; {group} is one of {choices}"
    if found := re.search(r"Could not override '([^']+)'", text):
        owner = "; gem.* are options of method=gem" if found[1].startswith("gem.") else ""
        return f"{found[1]}: this config has no such key{owner}{_swept(found[1])}"
    said = " ".join(re.split(r"\n\s*full_key: |See https://", text)[0].split())
    return said + PREPARE if said.startswith("dataset.root=") else said


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
