"""The jobs of a sweep: built, evaluated together, reported. Hydra does not scan this file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

if TYPE_CHECKING:
    from evaluation.engines.engine import Engine
    from evaluation.run.output import OutputOptions
    from evaluation.run.sweep import Outcome
    from evaluation.setting import Setting
    from evaluation.tracking import Tracker


@dataclass
class Job:
    """One job of the sweep: its overrides and config, and what became of it."""

    overrides: tuple[str, ...]
    config: DictConfig
    setting: Setting | None = None
    tracker: Tracker | None = None
    error: Exception | None = None
    outcome: Outcome | None = None

    @property
    def sentence(self) -> str | None:
        """What went wrong, if anything did."""
        from evaluation.launch import sentence

        return sentence(self.error) if self.error else None

    def answer(self) -> float | None:
        """The headline score. Raises what went wrong. Images without truth are labelled now."""
        if self.error:
            raise self.error
        if self.outcome and self.outcome.record:
            return self.outcome.record.headline
        from evaluation.launch.command import evaluate_config

        return evaluate_config(self.config)


def evaluate(jobs: Sequence[Job]) -> None:
    """Build the settings, and evaluate those of one output folder in as few passes as can be."""
    from evaluation.data import task_of
    from evaluation.launch import MISTAKES, build, build_engine, build_tracker, output_options

    together: dict[tuple[OutputOptions, Engine], list[Job]] = {}
    for job in jobs:
        try:
            job.setting, wanted = build(job.config, job.overrides), output_options(job.config)
            job.tracker, engine = build_tracker(job.config), build_engine(job.config)
            labelled = task_of(job.setting.dataset) == "none"  # there is nothing to share
        except MISTAKES as error:
            job.error = error
            continue
        if not labelled:
            together.setdefault((wanted, engine), []).append(job)
    for (wanted, engine), some in together.items():
        _sweep(some, wanted, engine)


def _sweep(jobs: Sequence[Job], wanted: OutputOptions, engine: Engine) -> None:
    from evaluation.run.job import writer_of
    from evaluation.run.sweep import run_sweep

    try:
        found = run_sweep(
            [job.setting for job in jobs if job.setting],
            Path(wanted.output),
            force=wanted.force,
            reuse=wanted.reuse,
            save_every=wanted.save_every,
            writer=writer_of(wanted),
            engine=engine,
        )
    except OSError as error:  # the folder itself
        for job in jobs:
            job.error = error
        return
    for job, outcome in zip(jobs, found, strict=True):
        job.outcome = outcome
        job.error = ValueError(outcome.error) if outcome.error else None


def report(jobs: Sequence[Job], sweep: str) -> None:
    """One table of all, and what failed; then tell the tracker."""
    from evaluation.run.job import Done
    from evaluation.terminal.sweep_table import SweepRow, show_sweep
    from evaluation.tracking.tracker import track

    show_sweep([SweepRow(job.overrides, job.outcome, job.sentence) for job in jobs])
    found = [job.outcome for job in jobs if job.outcome]
    written = [Done(one.setting, one.record, one.path) for one in found if one.record and one.path]
    if written and (tracker := next(filter(None, (job.tracker for job in jobs)))):
        track(tracker, written, group=sweep)
