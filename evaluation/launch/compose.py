"""From words of the command line to typed objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hydra
from hydra.utils import instantiate
from omegaconf import DictConfig

from evaluation.places import CONFIGS
from evaluation.run.output import OutputOptions
from evaluation.setting import Setting

FIELDS = (
    "segmenter", "dataset", "protocol", "vocabulary", "prompts", "metric", "batch_size",
    "workers", "limit",
)  # fmt: skip
FIRST = ("backbone", "method")  # parts of a segmenter: their mistakes are told by their own keys
OUTPUTS = ("output", "labels", "force", "save_every", "save", "predictions")


def construct(node: DictConfig) -> Any:
    """The objects that a part of a config says.

    The only place that calls ``instantiate``: from Hydra 1.4 on it wants an allow-list.
    """
    return instantiate(node, _convert_="all")


def build(config: DictConfig) -> Setting:
    """The setting that a composed config says; touches no weights and no files.

    Raises ValueError for a config without one of the parts, and what building the parts raises.
    """
    if missing := {*FIRST, *FIELDS} - set(config):
        raise ValueError(f"the config has no {min(missing)}")
    objects = {name: _part(config, name) for name in (*FIRST, *FIELDS)}
    return Setting(**{name: objects[name] for name in FIELDS})


def _part(config: DictConfig, name: str) -> Any:
    value = config[name]
    return construct(value) if isinstance(value, DictConfig) else value


def output_options(config: DictConfig) -> OutputOptions:
    """Where the composed config wants its results."""
    return OutputOptions(**{name: config[name] for name in OUTPUTS})


def compose_setting(overrides: Sequence[str]) -> Setting:
    """The setting that words like those of the command line compose; for scripts."""
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return build(hydra.compose("config", overrides=list(overrides)))
