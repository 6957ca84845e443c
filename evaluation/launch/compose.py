"""From words of the command line to typed objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from evaluation.engines import Local, Torchrun, torchrun
from evaluation.engines.engine import Engine
from evaluation.launch.by_dataset import check_by_dataset, register
from evaluation.launch.overrides import check_used, check_words
from evaluation.launch.parts import KINDS, check_part, construct
from evaluation.places import CONFIGS
from evaluation.run.output import OutputOptions
from evaluation.setting import Setting
from evaluation.tracking.tracker import Tracker

FIELDS = (
    "segmenter", "dataset", "protocol", "vocabulary", "prompts", "metric", "batch_size",
    "workers", "limit",
)  # fmt: skip
FIRST = ("backbone", "method")  # parts of a segmenter: their mistakes are told by their own keys
OPTIONAL = ("companion",)  # a part of some methods, told by its own key too
NUMBERS = {"batch_size", "workers", "limit"}
FOLDERS = ("output", "labels", "predictions")
OUTPUTS = (*FOLDERS, "force", "reuse", "save_every", "save")

register()  # when this is imported: Hydra reads configs before it calls us


def build(
    config: DictConfig, words: Sequence[str] = (), *, make: Callable[[DictConfig], Any] = construct
) -> Setting:
    """The setting that a composed config says; touches no weights and no files.

    words: those of the command line. make: the object that a node says. Raises ValueError for a
    config without one of the parts, for a part that is of another kind, for a wrong value by data
    set, for a word that sets what the segmenter does not read, and what building the parts raises.
    """
    _check_keys(config, (*FIRST, *FIELDS))
    raw = OmegaConf.to_container(config, resolve=False)
    assert isinstance(raw, dict)  # noqa: S101 to_container of a DictConfig
    check_used(words, raw["segmenter"], raw["method"])
    check_by_dataset(config)
    names = (*(name for name in OPTIONAL if name in raw), *FIRST, *FIELDS)
    objects = {name: _part(config, name, raw[name], make) for name in names}
    return Setting(**{name: objects[name] for name in FIELDS})


def _part(
    config: DictConfig, name: str, written: Any, make: Callable[[DictConfig], Any] = construct
) -> Any:
    value = config[name]
    if name in NUMBERS:
        return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
    part = make(value) if isinstance(value, DictConfig) else value
    key = "gem" if written == "${gem}" and part is value else name
    check_part(key, part, KINDS[name])
    return part


def build_tracker(config: DictConfig) -> Tracker:
    """Who is told of the records; before an evaluation, so that a mistake costs none."""
    _check_keys(config, ["logger"])
    tracker: Tracker = _part(config, "logger", None)
    return tracker


def build_engine(config: DictConfig) -> Engine:
    """Who counts: the engine of the config, or the ranks of torchrun if it has started several."""
    _check_keys(config, ["engine"])
    engine: Engine = _part(config, "engine", None)
    if not torchrun.launched():
        return engine
    if not isinstance(engine, Local | Torchrun):
        name = type(engine).__name__.lower()
        raise ValueError(f"engine={name}: torchrun has started this program, expected engine=local")  # noqa: TRY004
    return Torchrun()


def compose_engine(overrides: Sequence[str]) -> Engine:
    """The engine that words like those of the command line choose; for scripts."""
    words = [word for word in overrides if word.partition("=")[0].split(".")[0] == "engine"]
    return build_engine(compose_config(words))


def output_options(config: DictConfig) -> OutputOptions:
    """Where the composed config wants its results. Raises ValueError for an empty path."""
    _check_keys(config, OUTPUTS)
    for name in FOLDERS:
        if isinstance(config[name], str) and not config[name].strip():
            raise ValueError(f"{name}=: expected a folder")
    return OutputOptions(**{name: config[name] for name in OUTPUTS})


def _check_keys(config: DictConfig, names: Sequence[str]) -> None:
    if missing := set(names) - set(config):
        raise ValueError(f"the config has no {min(missing)}")


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """The config that words like those of the command line compose."""
    check_words(overrides)
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose("config", overrides=list(overrides))


def compose_setting(overrides: Sequence[str]) -> Setting:
    """The setting that words like those of the command line compose; for scripts."""
    return build(compose_config(overrides), overrides)
