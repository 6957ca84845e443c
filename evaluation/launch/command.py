"""``run.py`` and ``gem-bench``: evaluate one setting, or with ``-m`` several."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from evaluation.data import task_of
from evaluation.engines import Local
from evaluation.launch import words
from evaluation.launch.compose import build, build_engine, build_tracker, output_options
from evaluation.launch.errors import MISTAKES, sentence
from evaluation.launch.overrides import check_words
from evaluation.places import CONFIGS


def command() -> None:
    """Do what the command line says; a mistake of the user is told in one line, exit code 1."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # so that errors reach us, not Hydra's printer
    words.command(_checked)


def _checked() -> None:
    """Words of Hydra's own (-m, --cfg job) are Hydra's to read."""
    check_words([word for word in sys.argv[1:] if word[:1] != "-" and {"=", "~"} & set(word)])
    main()


@hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name="config")
def main(config: DictConfig) -> float | None:
    """Evaluate the composed setting; returns its headline score, for sweepers that optimise it.

    One job alone ends here if the user made a mistake; a sweep goes on and tells it at its end.
    """
    try:
        return evaluate_config(config)
    except MISTAKES as error:
        if HydraConfig.get().mode == RunMode.MULTIRUN or os.environ.get("GEM_TRACEBACK"):
            raise
        sys.exit(f"error: {sentence(error)}")


def evaluate_config(config: DictConfig) -> float | None:
    """Build what the config says, then evaluate it, or label its images if they have no truth."""
    hydra_config = HydraConfig.get()
    setting, wanted = build(config, hydra_config.overrides.task), output_options(config)
    tracker, engine = build_tracker(config), build_engine(config)
    from evaluation.run.job import find_or_run, label

    if task_of(setting.dataset) == "none":
        if not isinstance(engine, Local):
            raise ValueError(
                f"engine={type(engine).__name__.lower()}: images without truth are labelled by one "
                "process, expected engine=local"
            )
        if hydra_config.mode == RunMode.MULTIRUN:
            own = label_name(hydra_config.overrides.task)
            wanted = replace(wanted, labels=str(Path(wanted.labels) / own))
        label(setting, wanted)
        return None
    done = find_or_run(setting, wanted, engine)
    from evaluation.console import console
    from evaluation.terminal.record_table import show

    show([done.record], [done.path])
    if done.skipped:
        console.print("the record was there: nothing was evaluated (force=true does it again)")
    from evaluation.tracking.tracker import track

    sweep = hydra_config.sweep.dir if hydra_config.mode == RunMode.MULTIRUN else ""
    track(tracker, [done], group=sweep)
    return done.record.headline


def label_name(words: Sequence[str]) -> str:
    """The folder of one job of a sweep over images without truth: ``gem.iters=0,method=gem``.

    By its words, but for those that say where data and results lie.
    """
    places = ("dataset", "root", "output", "labels", "predictions")
    own = [word for word in words if word.partition("=")[0].split(".")[0] not in places]
    name = re.sub(r"[^\w.,=-]+", "_", ",".join(sorted(own)))[:150].strip(".")
    return name or "default"
