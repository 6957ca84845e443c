"""From checked settings to records: one pass over the data for settings that share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.console import console, note, progress, say
from evaluation.data import Folder
from evaluation.engines import Local
from evaluation.engines.engine import Engine, evaluate_with
from evaluation.records.checked import (
    CheckedSetting,
    check_setting,
    find_record,
    make_record,
)
from evaluation.records.record import Record, write_record
from evaluation.run.output import OutputOptions
from evaluation.run.passes import title_of
from evaluation.run.state_files import clear
from evaluation.setting import Setting
from evaluation.whole_files import prepare_folder

if TYPE_CHECKING:
    from evaluation.measure.work import Result, Work
    from evaluation.run.writer import Writer

LOCAL = Local()
NAMED = 3  # files in a sentence
STILL = (0.2, 10.0)  # share and seconds of a pass in which its model waits: more is told


@dataclass(frozen=True)
class Done:
    """A setting with its record and the record's file.

    ``skipped`` says that the record was there before; ``other_code`` names the files of code in
    which it is not of this code.
    """

    setting: Setting
    record: Record
    path: Path
    skipped: bool = False
    other_code: tuple[str, ...] = ()


def find_or_run(setting: Setting, output: OutputOptions, engine: Engine = LOCAL) -> Done:
    """The valid record of a setting in the folder of records, else the setting is evaluated.

    What is to be saved of each image is made in any case, unless all of it is there.
    """
    folder = Path(output.output)
    prepare_folder(folder)
    checked = check_setting(setting)
    writer = writer_of(output)
    held = None if output.force else find(checked, folder, writer)
    if held and held.other_code:
        note(said_of_other_code([held], reuse=output.reuse))
    if held and (output.reuse or not held.other_code):
        clear(checked, folder)
        return held
    one = PassJob([checked], folder, output.save_every, writer)
    return run_together(one, engine)[0]


def find(checked: CheckedSetting, folder: Path, writer: Writer | None = None) -> Done | None:
    """The record of a setting in ``folder``, if it was evaluated before, by whatever code.

    None also if what ``writer`` would write is not there.
    """
    found = find_record(checked, folder)
    if not found:
        return None
    record, others = found
    if writer and not writer.has(checked, record):
        return None
    path = folder / checked.file_name
    return Done(checked.setting, record, path, skipped=True, other_code=tuple(others))


def said_of_other_code(held: Sequence[Done], *, reuse: bool) -> str:
    """Which files the code of records differs in, and what is done with them."""
    files = list(dict.fromkeys(name for one in held for name in one.other_code))
    named = ", ".join(files[:NAMED]) + (f" and {len(files) - NAMED} more" if files[NAMED:] else "")
    one = len(held) == 1
    are, again = ("the record is", "it is") if one else (f"{len(held)} records are", "they are")
    if reuse:
        return f"{are} of other code ({named}), and taken as recorded (reuse=true)"
    return f"{are} of other code ({named}): {again} made again; reuse=true takes what is there"


def run(setting: Setting, folder: Path, *, save_every: float = 120.0) -> Done:
    """Evaluate and write the record into ``folder``; no record is written if anything fails."""
    prepare_folder(folder)
    return run_together(PassJob([check_setting(setting)], folder, save_every))[0]


@dataclass(frozen=True)
class PassJob:
    """Settings that share a pass over the data, and where their records go.

    Every ``save_every`` seconds the state of the pass is written beside the records; whoever does
    the job again goes on from it. ``writer`` saves something of each image.
    """

    settings: Sequence[CheckedSetting]
    folder: Path
    save_every: float = 120.0
    writer: Writer | None = None

    @property
    def title(self) -> str:
        """What the pass is called."""
        return title_of([one.setting for one in self.settings])

    def work(self) -> Work:
        """The pass, for an engine."""
        from evaluation.measure.work import Work  # imports torch: mistakes come first
        from evaluation.run.checkpoint import States

        saves = self.writer.kind if self.writer else ""
        return Work(
            settings=[one.setting for one in self.settings],
            checkpoint=States(self.settings, self.folder, self.save_every, saves=saves),
            watcher=self.writer.watcher(self.settings) if self.writer else None,
        )

    def finish(self, results: Sequence[Result]) -> list[Done]:
        """Write the records, then forget the state of the pass."""
        records = [make_record(*pair) for pair in zip(self.settings, results, strict=True)]
        if any(record.headline is None for record in records):
            name = self.settings[0].setting.dataset.card.name
            raise ValueError(f"{name}: nothing of the truth counts, all is void")
        if self.writer:
            self.writer.finish(self.settings, records)
        _tell_of_reading(results[0], self.settings[0].setting.workers)
        found = []
        for record, one in zip(records, self.settings, strict=True):
            found.append(Done(one.setting, record, write_record(record, self.folder)))
            clear(one, self.folder)
        return found


def _tell_of_reading(result: Result, workers: int) -> None:
    """Say it if the model stood still for images, for long enough to matter."""
    machine, share = result.machine, result.machine.waited / result.seconds
    if share > STILL[0] and machine.waited > STILL[1]:
        note(
            f"the model waited for images {100 * share:.0f} % of the time: workers={workers} can "
            f"read {machine.reading or 0:.0f} images/s; more of them may be faster"
        )


def run_together(job: PassJob, engine: Engine = LOCAL) -> list[Done]:
    """As `run`, for settings that share a pass over the data."""
    work = job.work()
    with progress(job.title, total=work.images) as advance:
        results = evaluate_with(engine, work, advance)
    return job.finish(results)


def writer_of(output: OutputOptions) -> Writer | None:
    """What saves something of each image, if the options say so."""
    if output.save is None:
        return None
    if output.save == "images":
        from evaluation.run.save_images import ImageWriter

        return ImageWriter(Path(output.output))
    from evaluation.run.save_predictions import PredictionWriter

    prepare_folder(Path(output.predictions), key="predictions")
    return PredictionWriter(Path(output.predictions), output.save)


def label(setting: Setting, output: OutputOptions) -> None:
    """Label images without truth, and say where the labels are."""
    folder = Path(output.labels)
    prepare_folder(folder, key="labels")
    assert isinstance(setting.dataset, Folder)  # noqa: S101 the only one without truth
    setting.segmenter.check(setting.ids)
    _ = setting.class_vocabulary  # without classes there is nothing to do: said before torch comes
    ids, broken = setting.dataset.whole(setting.ids)
    for error in broken[:NAMED]:
        note(f"left out: {error}")
    if broken[NAMED:]:
        note(f"left out: {len(broken) - NAMED} more images that cannot be read")
    from evaluation.run.label_images import label_folder

    with progress(title_of([setting]), len(ids)) as advance:
        paths = label_folder(setting, folder, advance, ids)
    if setting.segmenter.provenance.random:
        console.print("[bold red]RANDOM WEIGHTS: these labels mean nothing[/]")
    for path in paths:
        say("labels: ", path)
