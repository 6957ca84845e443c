"""Many settings in as few passes as can be: skip what has its record, plan, evaluate, record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.console import bars, note, say
from evaluation.engines import Local
from evaluation.engines.engine import FAILURES, Engine, Session, Step
from evaluation.records.checked import CheckedSetting, Checks, check_setting
from evaluation.records.record import Record
from evaluation.run.job import Done, PassJob, find, said_of_other_code
from evaluation.run.passes import PassPlan, plan_passes
from evaluation.run.state_files import clear
from evaluation.run.underway import Underway
from evaluation.setting import Setting
from evaluation.setting.sharing import share_parts
from evaluation.whole_files import prepare_folder

if TYPE_CHECKING:
    from evaluation.measure.work import Work
    from evaluation.run.writer import Writer

LOCAL = Local()


@dataclass(frozen=True)
class Outcome:
    """What became of one setting of a sweep: its record and file, or the sentence of its error.

    ``skipped`` says that the record was there before; ``other_code`` as of `Done`.
    """

    setting: Setting
    record: Record | None
    path: Path | None
    error: str | None
    skipped: bool
    other_code: tuple[str, ...] = ()


def run_sweep(
    settings: Sequence[Setting],
    folder: Path,
    *,
    force: bool = False,
    reuse: bool = False,
    save_every: float = 120.0,
    writer: Writer | None = None,
    engine: Engine = LOCAL,
) -> list[Outcome]:
    """Evaluate settings, each as if it were alone, in as few passes over the data as can be.

    A setting whose valid record lies in ``folder`` is skipped unless ``force``, or unless what
    ``writer`` saves of its images is not there; with ``reuse`` also one whose record is of other
    code. What is wrong with one setting (ValueError, OSError, RuntimeError) becomes its ``error``
    and does not stop the others. The answer is in the order of the settings; records are written
    as soon as their pass ends. Raises PermissionError if nothing can be written into ``folder``.
    """
    prepare_folder(folder)
    sweep = _Sweep(share_parts(settings), folder, save_every, writer)
    sweep.check()
    if not force:
        sweep.look_up(reuse=reuse)
    todo = list(sweep.first.values())
    if todo:
        planned = plan_passes([sweep.settings[place] for place in todo])
        for line in planned.lines:
            say(line)
        sweep.evaluate(planned, todo, engine)
    return sweep.outcomes()


class _Sweep:
    """What is known of each setting on the way, by its place."""

    def __init__(
        self,
        settings: Sequence[Setting],
        folder: Path,
        save_every: float,
        writer: Writer | None,
    ) -> None:
        self.settings, self.folder = settings, folder
        self.save_every, self.writer = save_every, writer
        self.checked: dict[int, CheckedSetting] = {}
        self.done: dict[int, Done] = {}
        self.errors: dict[int, str] = {}
        self.first: dict[str, int] = {}  # of the settings with one key, the one to evaluate
        self.passes: dict[Work, Underway] = {}  # those that an engine has

    def check(self) -> None:
        """Check all settings; of those with one key the first is to be evaluated."""
        checks: Checks = set()
        for place, setting in enumerate(self.settings):
            try:
                checked = self.checked[place] = check_setting(setting, checks)
            except FAILURES as error:
                self._fail([place], error)
            else:
                self.first.setdefault(checked.key, place)

    def look_up(self, *, reuse: bool) -> None:
        """Find the records that are there: their settings are not evaluated."""
        others = []
        for place, checked in self.checked.items():
            if done := find(checked, self.folder, self.writer):
                if done.other_code:
                    others.append(done)
                    if not reuse:
                        continue
                self.done[place] = done
                clear(checked, self.folder)
                self.first.pop(checked.key, None)
        if others:
            note(said_of_other_code(others, reuse=reuse))
        if skipped := len(self.done):
            say(
                f"{skipped} of {len(self.settings)} settings skipped: their records are in "
                f"{self.folder} (force=true evaluates them again)"
            )

    def evaluate(self, planned: PassPlan, todo: Sequence[int], engine: Engine) -> None:
        """All passes; what fails is done again without the settings by whose fault."""
        with engine.open() as session, bars() as begin:
            for number, one in enumerate(planned.passes, start=1):
                heading = f"pass {number}: {one}" if planned.passes[1:] else ""
                self._add([todo[place] for place in one.places], session, heading)
            for step in session.steps():
                underway = self.passes[step.work]
                if underway.bar is None:
                    underway.show(begin(underway.job.title, step.work.images))
                self._follow(underway, step, session)

    def outcomes(self) -> list[Outcome]:
        """The answer, in the order of the settings; of equal settings one was evaluated."""
        found = []
        for place, setting in enumerate(self.settings):
            known = place in self.done or place in self.errors
            one = place if known else self.first[self.checked[place].key]
            if done := self.done.get(one):
                told = (done.skipped, done.other_code)
                found.append(Outcome(setting, done.record, done.path, None, *told))
            else:
                found.append(Outcome(setting, None, None, self.errors[one], skipped=False))
        return found

    def _add(self, places: Sequence[int], session: Session, heading: str) -> None:
        """Give an engine one pass: at the end, or without a heading at once."""
        checked = [self.checked[place] for place in places]
        job = PassJob(checked, self.folder, self.save_every, self.writer)
        try:
            work = job.work()
            session.add(work, first=not heading)
        except FAILURES as error:
            self._fail(places, error)
        else:
            self.passes[work] = Underway(places, job, heading)

    def _follow(self, one: Underway, step: Step, session: Session) -> None:
        """What a step of a pass means for its settings."""
        assert one.bar  # noqa: S101 shown at the first step
        one.bar.advance(step.images)
        if not (step.ended or step.error):
            return
        one.bar.close()
        error = step.error
        if step.ended:
            try:
                self.done.update(zip(one.places, one.job.finish(step.work.results()), strict=True))
            except FAILURES as failed:
                error = failed
        if error:
            self._go_on_without(one.places, error, session)

    def _go_on_without(self, places: Sequence[int], error: Exception, session: Session) -> None:
        """A pass again for the settings that another one is worth, if it failed by others."""
        if len(places) > 1:
            good = [place for place in places if not self._blame(place, error, session)]
            if len(good) < len(places):
                if good:
                    self._add(good, session, heading="")
                return
        self._fail(places, error)  # alone, or all alike, of one cause

    def _blame(self, place: int, error: Exception, session: Session) -> bool:
        """Whether a pass failed by this setting; then ``error``, or its own, is its error.

        It did if the scores that are not finite are its own, or if it fails on the first sample
        alone.
        """
        from evaluation.measure.finite import NotFiniteError

        if isinstance(error, NotFiniteError):
            mine = self.settings[place].segmenter == error.segmenter
            if mine:
                self._fail([place], error)
            return mine
        try:
            session.try_first(self.settings[place])
        except FAILURES as own:
            self._fail([place], own)
            return True
        return False

    def _fail(self, places: Sequence[int], error: Exception) -> None:
        self.errors.update(dict.fromkeys(places, " ".join(str(error).split())))
