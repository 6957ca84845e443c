"""Many settings in as few passes as can be: skip what has its record, plan, evaluate, record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.console import console
from evaluation.records.record import Identity, Record, identify, prepare_folder, warnings_of
from evaluation.run.job import find_identified, run_together
from evaluation.run.passes import Plan, plan, share_parts
from evaluation.setting import Setting

__all__ = ["Done", "Plan", "plan", "run_sweep"]

FAILURES = (ValueError, OSError, RuntimeError)


@dataclass(frozen=True)
class Done:
    """What became of one setting of a sweep: its record and file, or the sentence of its error.

    ``skipped`` says that the record was there before.
    """

    setting: Setting
    record: Record | None
    path: Path | None
    error: str | None
    skipped: bool


def run_sweep(
    settings: Sequence[Setting], folder: Path, *, force: bool = False, save_every: float = 120.0
) -> list[Done]:
    """Evaluate settings, each as if it were alone, in as few passes over the data as can be.

    A setting whose valid record lies in ``folder`` is skipped unless ``force``. What is wrong with
    one setting (ValueError, OSError, RuntimeError) becomes its ``error`` and does not stop the
    others. The answer is in the order of the settings; records are written as soon as their pass
    ends. Raises PermissionError if nothing can be written into ``folder``.
    """
    prepare_folder(folder)
    settings = share_parts(settings)
    sweep = _Sweep(settings, folder, save_every)
    sweep.look_up(force=force)
    todo = list(sweep.first.values())
    planned = plan([settings[place] for place in todo])
    if todo:
        console.print(str(planned), highlight=False)
    for number, one in enumerate(planned.passes, start=1):
        if len(planned.passes) > 1:
            console.print(f"pass {number}: {one}", highlight=False)
        places = [todo[place] for place in one.places]
        sweep.evaluate(places)
        later = [todo[place] for other in planned.passes[number:] for place in other.places]
        backbone = settings[places[0]].backbone
        if later and all(settings[place].backbone is not backbone for place in later):
            backbone.let_go()
    return sweep.done()


class _Sweep:
    """What is known of each setting on the way, by its place."""

    def __init__(self, settings: Sequence[Setting], folder: Path, save_every: float) -> None:
        self.settings, self.folder, self.save_every = settings, folder, save_every
        self.identities: dict[int, Identity] = {}
        self.found: dict[int, Done] = {}
        self.first: dict[str, int] = {}  # of the settings with one key, the one to evaluate

    def look_up(self, *, force: bool) -> None:
        """Find the records that are there, settings that cannot be identified, and duplicates."""
        checked: set[int] = set()
        for place, setting in enumerate(self.settings):
            try:
                if id(setting.dataset) not in checked or setting.limit:
                    setting.dataset.check(setting.ids)
                    checked.add(id(setting.dataset))
                identity = self.identities[place] = identify(setting)
                warnings_of(setting)
            except FAILURES as error:
                self._fail([place], error)
                continue
            held = None if force else find_identified(identity, self.folder)
            if held:
                self.found[place] = Done(setting, *held, None, skipped=True)
            else:
                self.first.setdefault(identity.key, place)
        if skipped := sum(one.skipped for one in self.found.values()):
            console.print(
                f"{skipped} of {len(self.settings)} settings skipped: their records are in "
                f"{self.folder} (force=true evaluates them again)",
                highlight=False,
            )

    def evaluate(self, places: Sequence[int]) -> None:
        """One pass; if it fails, again without the settings that fail on the first sample."""
        try:
            self._record(places)
        except FAILURES as error:
            good = [place for place in places if not self._blame(place)] if places[1:] else []
            if not good or len(good) == len(places):  # all fail alike, of one cause
                self._fail(places, error)
                return
            try:
                self._record(good)
            except FAILURES as again:
                self._fail(good, again)

    def done(self) -> list[Done]:
        """The answer, in the order of the settings; of equal settings one was evaluated."""
        found = []
        for place, setting in enumerate(self.settings):
            one = self.found.get(place)
            one = one or self.found[self.first[self.identities[place].key]]
            found.append(replace(one, setting=setting))
        return found

    def _record(self, places: Sequence[int]) -> None:
        settings = [self.settings[place] for place in places]
        written = run_together(settings, self.folder, save_every=self.save_every)
        for place, (record, path) in zip(places, written, strict=True):
            self.found[place] = Done(self.settings[place], record, path, None, skipped=False)

    def _blame(self, place: int) -> bool:
        """Whether a setting fails on the first sample alone; then that is its error."""
        from evaluation.measure.evaluate import try_first

        try:
            try_first(self.settings[place])
        except FAILURES as error:
            self._fail([place], error)
            return True
        return False

    def _fail(self, places: Sequence[int], error: Exception) -> None:
        sentence = " ".join(str(error).split())
        for place in places:
            self.found[place] = Done(self.settings[place], None, None, sentence, skipped=False)
