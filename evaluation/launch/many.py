"""Many settings that differ in few words: what words of one part set is composed apart.

A table has a setting for each row and each data set, and Hydra needs 0.2 s for each of hundreds.
But the words of a data set set the data set, those of a method the method, whatever the others are.
So the words of each part are composed once, alone, and what they change is joined. Words that touch
the same key (an experiment and a protocol, a backbone and its image size) are composed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from omegaconf import DictConfig, OmegaConf

from evaluation.launch.compose import build, compose_config
from evaluation.launch.parts import construct
from evaluation.setting import Setting

APART = {  # the part that a word is of, by its first key; words of others are one part
    "dataset": "dataset", "backbone": "backbone", "protocol": "protocol", "prompts": "prompts",
    "vocabulary": "vocabulary", "experiment": "experiment",
    "method": "method", "gem": "method", "companion": "method",
}  # fmt: skip
Values = dict[Any, Any]


@dataclass(frozen=True)
class Composer:
    """`compose_setting` for many settings: the same, and the same errors, in less time.

    Equal parts of settings are one object.
    """

    _written: dict[tuple[str, ...], Values] = field(default_factory=dict)
    _made: dict[str, Any] = field(default_factory=dict)

    def __call__(self, words: Sequence[str]) -> Setting:
        """The setting that words like those of the command line compose."""
        return build(self.config(words), words, make=self._make)

    def config(self, words: Sequence[str]) -> DictConfig:
        """The config of it."""
        joined = dict(self._compose(()))
        for change in self._changes(words):
            written = self._compose(change.words)
            for key in change.touched:
                joined.pop(key, None)
                joined |= {key: written[key]} if key in written else {}
        return OmegaConf.create(joined)

    def _changes(self, words: Sequence[str]) -> list[_Change]:
        """The words in parts that touch no key in common."""
        found: list[_Change] = []
        for part in _parts(words):
            change = self._change(part)
            while meets := next((one for one in found if one.touched & change.touched), None):
                found.remove(meets)
                both = {*meets.words, *change.words}
                change = self._change(tuple(word for word in words if word in both))
            found.append(change)
        return found

    def _change(self, words: tuple[str, ...]) -> _Change:
        return _Change(words, self._compose(()), self._compose(words))

    def _compose(self, words: tuple[str, ...]) -> Values:
        """The values of a config, interpolations as they are written."""
        if words not in self._written:
            written = OmegaConf.to_container(compose_config(words), resolve=False)
            assert isinstance(written, dict)  # noqa: S101 to_container of a DictConfig
            self._written[words] = written
        return self._written[words]

    def _make(self, node: DictConfig) -> Any:
        """The object that a node says: it is frozen, so one serves all nodes that say the same."""
        name = node._get_full_key(None)  # noqa: SLF001 OmegaConf has no public way to ask
        said = f"{name} {OmegaConf.to_container(node, resolve=True)}"
        if said not in self._made:
            self._made[said] = construct(node)
        return self._made[said]


@dataclass(frozen=True)
class _Change:
    """Words of one part, and the values with and without them."""

    words: tuple[str, ...]
    before: Values
    after: Values

    @cached_property
    def touched(self) -> frozenset[Any]:
        """Keys with another value, and those that the words name, which may say the default."""
        keys = {*self.before, *self.after}
        changed = {key for key in keys if self.before.get(key) != self.after.get(key)}
        return frozenset({*changed, *map(_first, self.words)} & keys)


def _parts(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The words by their part; options of what an experiment may choose go with the experiment."""
    chosen = {word.partition("=")[0] for word in words}

    def part_of(word: str) -> str:
        part = APART.get(_first(word), "")
        return part if part in chosen or "experiment" not in chosen else "experiment"

    names = dict.fromkeys(map(part_of, words))
    return [tuple(word for word in words if part_of(word) == name) for name in names]


def _first(word: str) -> str:
    """The key of a word before the first dot: ``protocol`` of ``protocol.windows.size=64``."""
    return word.lstrip("+~").partition("=")[0].partition(".")[0]
