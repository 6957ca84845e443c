"""From the settings of tables to their records: what can run is run, the rest says why not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.engines import Local
from evaluation.engines.engine import FAILURES, Engine
from evaluation.records.checked import check_setting, make_record
from evaluation.records.names import called, names_of
from evaluation.records.record import Record, read_records, write_record
from evaluation.run.job import find
from evaluation.run.sweep import Outcome, run_sweep
from evaluation.setting import Setting
from evaluation.setting.identity import describe, fingerprint
from evaluation.setting.sharing import share_parts
from evaluation.tables.cells import PlannedColumn, TablePlan
from evaluation.tables.obstacles import find_obstacles
from evaluation.tables.parts import data_of, weights_in

WARM_UP = 8  # images before a speed is measured: they load the model
RUNS = 3
LOCAL = Local()


@dataclass(frozen=True)
class TableResults:
    """Records by setting, and why there is none by setting.

    speeds: records of settings that were evaluated alone, to be timed.
    sentences: each distinct reason in full. failed: what was run and did not end, and why.
    """

    records: dict[Setting, Record] = field(default_factory=dict)
    speeds: dict[Setting, Record] = field(default_factory=dict)
    why: dict[Setting, str] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def of(self, column: PlannedColumn) -> list[Record | None]:
        """The records of a column of ours, row by row."""
        found = self.speeds if column.score == "speed" else self.records
        return [found.get(cell.setting) if cell.setting else None for cell in column.cells]

    def fail(self, setting: Setting, reason: str, *, what: str = "") -> None:
        """Note that a setting, or something of it, was run and did not end."""
        self.why[setting] = reason
        self.failed.append(f"{what}{in_words(setting)}: {reason}")


def value_in(record: Record | None, score: str) -> float | None:
    """A score of a record in the table's unit; ``speed`` is images/s."""
    if record is None:
        return None
    if score == "speed":
        return float(record.cost["images_per_second"])
    share = record.scores.get(score)
    return None if share is None else 100 * share


def fill_tables(
    plans: Sequence[TablePlan],
    folder: Path,
    *,
    force: bool = False,
    reuse: bool = False,
    save_every: float = 120.0,
    engine: Engine = LOCAL,
) -> TableResults:
    """Evaluate what the plans ask and has no record yet; equal settings once.

    folder: of the records. Settings whose speed is asked are evaluated alone, into ``alone/``.
    They run in this process. force, reuse, save_every, engine: see `run_sweep`.
    """
    wanted = dict.fromkeys(one for plan in plans for one in plan.settings(timed=False))
    timed = dict.fromkeys(one for plan in plans for one in plan.settings(timed=True))
    shared = share_parts([*wanted, *timed])  # models are loaded once, data sets are listed once
    asked, asked_alone = shared[: len(wanted)], shared[len(wanted) :]
    obstacles = find_obstacles(shared)
    reasons = [line for obstacle in obstacles.values() for line in obstacle.sentences]
    results = TableResults(
        why={setting: obstacle.short for setting, obstacle in obstacles.items()},
        sentences=list(dict.fromkeys(reasons)),
    )
    if hindered := [setting for setting in asked if setting in obstacles]:
        results.records.update(recorded(hindered, folder))
    able = [setting for setting in asked if setting not in obstacles]
    found: Iterable[Outcome] = ()
    if able:
        found = run_sweep(
            able, folder, force=force, reuse=reuse, save_every=save_every, engine=engine
        )
    for done in found:
        if done.record:
            results.records[done.setting] = done.record
        else:
            results.fail(done.setting, done.error or "it failed")
    for setting in (setting for setting in asked_alone if setting not in results.why):
        try:
            results.speeds[setting] = time_alone(setting, folder / "alone", force=force)
        except FAILURES as error:
            results.fail(setting, " ".join(str(error).split()), what="speed of ")
    return results


def time_alone(setting: Setting, folder: Path, *, force: bool = False) -> Record:
    """The record of a setting's fastest run of three, after a few images to warm up.

    The valid record that ``folder`` has is taken unless ``force``, if its batches, workers and
    device are those of the setting too.
    """
    checked = check_setting(setting)
    held = None if force else find(checked, folder)
    held = None if held and held.other_code else held
    if held and held.record.setting == describe(setting):
        return held.record
    from evaluation.measure.evaluate import evaluate

    evaluate(dataclasses.replace(setting, limit=min(WARM_UP, setting.limit or WARM_UP)))
    runs = [evaluate(setting) for _ in range(RUNS)]  # from start to end: nothing is resumed
    record = make_record(checked, min(runs, key=lambda result: result.seconds))
    write_record(record, folder)
    return record


def in_words(setting: Setting) -> str:
    """A setting in a few words: ``gem iters=3 on voc``."""
    return f"{called(names_of(setting))} on {data_of(setting)}"


def recorded(settings: Iterable[Setting], folder: Path) -> dict[Setting, Record]:
    """Records of settings from whatever machine, the newest of each, of other code too."""
    records, _ = read_records(folder) if folder.is_dir() else ([], [])  # the oldest first
    newest = {_description_key(record.setting): record for record, _ in records}
    found = {setting: newest.get(_description_key(describe(setting))) for setting in settings}
    return {setting: record for setting, record in found.items() if record}


def _description_key(setting: Mapping[str, Any]) -> str:
    """What a record's description and a setting's have in common, the name of weights included."""
    return f"{fingerprint(setting)} {weights_in(setting)}"
