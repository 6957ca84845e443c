"""The jobs of a sweep: built, evaluated together, reported. Hydra does not scan this file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

if TYPE_CHECKING:
    from evaluation.run.job import OutputOptions
    from evaluation.run.sweep import Done
    from evaluation.setting import Setting


@dataclass
class Job:
    """One job of the sweep: its overrides and config, and what became of it."""

    words: tuple[str, ...]
    config: DictConfig
    setting: Setting | None = None
    error: Exception | None = None
    done: Done | None = None

    @property
    def sentence(self) -> str | None:
        """What went wrong, if anything did."""
        from run import sentence

        return sentence(self.error) if self.error else None

    def answer(self) -> float | None:
        """The headline score. Raises what went wrong. Images without truth are labelled now."""
        if self.error:
            raise self.error
        if self.done and self.done.record:
            return next(iter(self.done.record.scores.values()))
        from run import job

        return job(self.config)


def evaluate(jobs: Sequence[Job]) -> None:
    """Build the settings, and evaluate those of one output folder in as few passes as can be."""
    from evaluation.data import Folder
    from run import MISTAKES, build, writing

    together: dict[OutputOptions, list[Job]] = {}
    for job in jobs:
        try:
            job.setting, wanted = build(job.config), writing(job.config)
        except MISTAKES as error:
            job.error = error
            continue
        if not isinstance(job.setting.dataset, Folder):  # which labels: there is nothing to share
            together.setdefault(wanted, []).append(job)
    for wanted, some in together.items():
        _sweep(some, wanted)


def _sweep(jobs: Sequence[Job], wanted: OutputOptions) -> None:
    from evaluation.run.sweep import run_sweep

    settings = [job.setting for job in jobs if job.setting]
    try:
        folder, every = Path(wanted.output), wanted.save_every
        found = run_sweep(settings, folder, force=wanted.force, save_every=every)
    except OSError as error:  # the folder itself
        for job in jobs:
            job.error = error
        return
    for job, done in zip(jobs, found, strict=True):
        job.done = done
        job.error = ValueError(done.error) if done.error else None


def report(jobs: Sequence[Job], sweep: str) -> None:
    """One table of all, and what failed; then tell the tracker."""
    from evaluation.terminal.sweep_table import Row, show_sweep
    from evaluation.tracking.tracker import track
    from run import construct

    show_sweep([Row(job.words, job.done, job.sentence) for job in jobs])
    done = [job.done for job in jobs if job.done]
    written = [(one.setting, one.record, one.path) for one in done if one.record and one.path]
    if written:
        track(construct(jobs[0].config.logger), written, group=sweep)
