"""Many settings that differ in few words: what chooses the data set is composed apart.

A table has a setting for each row and each data set. Hydra needs 0.2 s for one, most of it for
files that are the same in every column. So the config of a row and that of a data set are composed
once each, and joined. Configs that do not come apart are composed as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from omegaconf import DictConfig, OmegaConf

from evaluation.launch.compose import build, compose_config
from evaluation.setting import Setting

DATA = "dataset"


@dataclass(frozen=True)
class _Composed:
    """A config, and its values with interpolations as they are written."""

    config: DictConfig

    @cached_property
    def data(self) -> Any:
        """The part that words of the data set set."""
        return self._written[DATA]

    @cached_property
    def rest(self) -> dict[Any, Any]:
        """All other parts."""
        return {key: value for key, value in self._written.items() if key != DATA}

    @cached_property
    def _written(self) -> dict[Any, Any]:
        written = OmegaConf.to_container(self.config, resolve=False)
        assert isinstance(written, dict)  # noqa: S101 to_container of a DictConfig
        return written


@dataclass(frozen=True)
class Composer:
    """`compose_setting` for many settings: the same, and the same errors, in less time."""

    _known: dict[tuple[str, ...], _Composed] = field(default_factory=dict)

    def __call__(self, words: Sequence[str]) -> Setting:
        """The setting that words like those of the command line compose."""
        return build(self.config(words), words)

    def config(self, words: Sequence[str]) -> DictConfig:
        """The config of it."""
        data = tuple(word for word in words if _is_of_data(word))
        rest = tuple(word for word in words if not _is_of_data(word))
        default, chosen, other = (self._compose(part) for part in ((), data, rest))
        if chosen.rest != default.rest or other.data != default.data:
            return self._compose(tuple(words)).config  # a file that sets more than its own part
        joined = copy.deepcopy(other.config)
        joined[DATA] = chosen.config[DATA]
        return joined

    def _compose(self, words: tuple[str, ...]) -> _Composed:
        if words not in self._known:
            self._known[words] = _Composed(compose_config(words))
        return self._known[words]


def _is_of_data(word: str) -> bool:
    return word.lstrip("+~").partition("=")[0].partition(".")[0] == DATA
