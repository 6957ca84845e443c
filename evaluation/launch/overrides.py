"""What the words of the command line may be, seen before Hydra composes them.

Hydra reads more than we have a use for: a list as the choice of a group, a key that nothing reads,
a part taken away. Each is answered with the word itself, where Hydra would name none or go on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, QuotedString
from hydra.errors import HydraException

from evaluation.launch.errors import NO_COMPANION, unreadable
from evaluation.launch.words import run_keys, unknown
from evaluation.places import CONFIGS

DEEPEST = 20  # brackets in brackets; Hydra's parser needs many frames for each
LONGEST_KEY = 200
OF_SEGMENTERS = {"backbone": "backbone", "method": "method", "gem": "method", "companion": "method"}
"""Keys that only a segmenter with such a part reads, and the part."""


def check_words(words: Sequence[str]) -> None:
    """Raise ValueError for the first word that cannot be read or means nothing."""
    parser, known = OverridesParser.create(), sorted(run_keys())
    for word in words:
        _check_shape(word)
        try:
            override = parser.parse_override(word)
        except HydraException as error:
            raise ValueError(unreadable(word, str(error))) from error
        _check_meaning(word, override, known)


def check_used(words: Sequence[str], segmenter: object, method: object = None) -> None:
    """Raise ValueError for a word that sets a part which the segmenter or the method does not read.

    segmenter, method: their nodes of the config, interpolations as they are written.
    """
    if not isinstance(segmenter, Mapping):
        return
    for word in words:
        part = OF_SEGMENTERS.get(_first(_key(word)))
        if part and not any(f"${{{part}" in str(value) for value in segmenter.values()):
            name = segmenter.get("_target_")
            raise ValueError(f"{word}: the segmenter {name} has no {part}, leave the word out")
        if _first(_key(word)) == "companion" and "${companion" not in str(method):
            raise ValueError(f"{word}: {NO_COMPANION}")


def _check_shape(word: str) -> None:
    """What the parser itself would not end with, or not with a sentence."""
    depth = deepest = 0
    for letter in word:
        depth += (letter in "[{(") - (letter in "]})")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise ValueError(f"{word}: brackets in more than {DEEPEST} brackets")
    key = _key(word)
    if not key:
        raise ValueError(f"{word or 'an empty word'}: expected KEY=VALUE")
    if len(key) > LONGEST_KEY:
        raise ValueError(f"{word}: no such key")


def _check_meaning(word: str, override: Override, known: Sequence[str]) -> None:
    key = override.key_or_group
    if _first(key) == "by_dataset":
        raise ValueError(
            f"{word}: these are the published values; set protocol.NAME or method.NAME instead"
        )
    if override.is_delete() and key in known:
        raise ValueError(f"{word}: no part can be left out; a choice or a value replaces it")
    if _first(key) not in {*known, "hydra"}:
        raise ValueError(unknown(word, known))
    if key in known and (CONFIGS / key).is_dir():
        _check_choice(word, key, override.value())


def _check_choice(word: str, group: str, value: Any) -> None:
    """A group takes the name of a choice, or of several in a sweep."""
    chosen = value.list if isinstance(value, ChoiceSweep) else [value]
    if all(isinstance(one, str | QuotedString) and str(one) for one in chosen):
        return
    choices = ", ".join(sorted(path.stem for path in (CONFIGS / group).glob("*.yaml")))
    several = f", or several with -m {group}=A,B" if isinstance(value, list) else ""
    raise ValueError(f"{word}: expected one of {choices}{several}")


def _key(word: str) -> str:
    """What a word sets, adds or takes away."""
    return word.lstrip("+~").partition("=")[0]


def _first(key: str) -> str:
    """The key before the first dot, slash or package."""
    return re.split(r"[./@]", key, maxsplit=1)[0]
