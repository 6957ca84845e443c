"""From the settings of tables to their records: what can run is run, the rest says why not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.records.checked import check_setting, make_record
from evaluation.records.names import called, names_of
from evaluation.records.record import Record, read_records, write_record
from evaluation.run.job import find
from evaluation.run.sweep import FAILURES, run_sweep
from evaluation.setting import Setting
from evaluation.setting.identity import describe, fingerprint
from evaluation.tables.plan import Plan

WARM_UP = 8  # images before a speed is measured: they load the model
RUNS = 3


@dataclass(frozen=True)
class Obstacle:
    """Why a setting cannot run here: a few words for a table, and whole sentences."""

    short: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Answers:
    """Records by setting, and why there is none by setting.

    speeds: records of settings that were evaluated alone, to be timed.
    sentences: each distinct reason in full. failed: what was run and did not end, and why.
    """

    records: Mapping[Setting, Record]
    speeds: Mapping[Setting, Record]
    why: Mapping[Setting, str]
    paths: Mapping[Setting, Path] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def answer(
    plans: Sequence[Plan], folder: Path, *, force: bool = False, save_every: float = 120.0
) -> Answers:
    """Evaluate what the plans ask and has no record yet; equal settings once.

    folder: of the records. Settings whose speed is asked are evaluated alone, into ``alone/``.
    force, save_every: see `run_sweep`.
    """
    wanted = dict.fromkeys(setting for plan in plans for setting in plan.settings)
    timed = dict.fromkeys(setting for plan in plans for setting in plan.timed)
    hindered = obstacles([*wanted, *timed])
    known = _known(folder) if any(setting in hindered for setting in wanted) else {}
    why = {setting: obstacle.short for setting, obstacle in hindered.items()}
    sentences = [line for obstacle in hindered.values() for line in obstacle.sentences]
    records, speeds, paths, failed = {}, {}, {}, []
    for setting in (setting for setting in wanted if setting in hindered):
        if found := known.get(_name(describe(setting))):
            records[setting], paths[setting] = found
    able = [setting for setting in wanted if setting not in hindered]
    for done in run_sweep(able, folder, force=force, save_every=save_every) if able else ():
        if done.record and done.path:
            records[done.setting], paths[done.setting] = done.record, done.path
        else:
            why[done.setting] = done.error or "it failed"
            failed.append(f"{title_of(done.setting)}: {why[done.setting]}")
    for setting in (setting for setting in timed if setting not in why):
        try:
            speeds[setting] = time_alone(setting, folder / "alone", force=force)
        except FAILURES as error:
            why[setting] = " ".join(str(error).split())
            failed.append(f"speed of {title_of(setting)}: {why[setting]}")
    return Answers(records, speeds, why, paths, tuple(dict.fromkeys(sentences)), tuple(failed))


def time_alone(setting: Setting, folder: Path, *, force: bool = False) -> Record:
    """The record of a setting's fastest run of three, after a few images to warm up.

    The valid record that ``folder`` has is taken unless ``force``, if its batches, workers and
    device are those of the setting too.
    """
    checked = check_setting(setting)
    held = None if force else find(checked, folder)
    if held and held.record.setting == describe(setting):
        return held.record
    from evaluation.measure.evaluate import evaluate

    evaluate(dataclasses.replace(setting, limit=min(WARM_UP, setting.limit or WARM_UP)))
    runs = [evaluate(setting) for _ in range(RUNS)]  # from start to end: nothing is resumed
    record = make_record(checked, min(runs, key=lambda result: result.seconds))
    write_record(record, folder)
    return record


def title_of(setting: Setting) -> str:
    """A setting in a few words: ``gem iters=3 on voc``."""
    names = names_of(setting)
    return f"{called(names)} on {names['dataset']}"


def obstacles(settings: Iterable[Setting]) -> dict[Setting, Obstacle]:
    """The settings that cannot run here; each distinct backbone and data set is asked once."""
    found: dict[Setting, Obstacle] = {}
    asked: dict[object, Obstacle | None] = {}
    for setting in settings:
        for part in (_data(setting, asked), _weights(setting, asked), _depth(setting)):
            if part:
                found[setting] = _both(found[setting], part) if setting in found else part
    return found


def _both(one: Obstacle, other: Obstacle) -> Obstacle:
    return Obstacle(f"{one.short}; {other.short}", (*one.sentences, *other.sentences))


def _weights(setting: Setting, asked: dict[object, Obstacle | None]) -> Obstacle | None:
    segmenter = setting.segmenter
    if segmenter.pass_key not in asked:
        asked[segmenter.pass_key] = None
        try:
            _ = segmenter.provenance
        except (ValueError, OSError) as error:
            parts = describe(segmenter)
            parts = parts.get("backbone", parts)
            source = parts.get("weights") or parts.get("root")
            name = f"{Path(str(source)).name} of {Path(str(parts.get('model', ''))).name}"
            asked[segmenter.pass_key] = Obstacle(f"needs weights: {name}", (f"{name}: {error}",))
    return asked[segmenter.pass_key]


def _data(setting: Setting, asked: dict[object, Obstacle | None]) -> Obstacle | None:
    key = (setting.dataset, setting.limit)
    if key not in asked:
        asked[key] = None
        try:
            setting.dataset.check(setting.ids)
        except (ValueError, OSError) as error:
            name = str(getattr(setting.dataset, "dataset", "this one"))
            asked[key] = Obstacle(f"needs data: {name}", (f"{name}: {error}",))
    return asked[key]


def _depth(setting: Setting) -> Obstacle | None:
    """More blocks asked for than the tower has, by the model's config: nothing is loaded."""
    try:
        setting.segmenter.check(())
    except (ValueError, OSError) as error:
        return Obstacle(" ".join(str(error).split()).partition(": ")[2], ())
    return None


def _known(folder: Path) -> dict[str, tuple[Record, Path]]:
    """Records of a folder, from whatever machine, by their settings; the newest of each."""
    if not folder.is_dir():
        return {}
    return {_name(record.setting): (record, path) for record, path in read_records(folder)[0]}


def _name(setting: Mapping[str, Any]) -> str:
    """What a record's description and a setting's have in common, the name of weights included."""
    weights = setting["segmenter"].get("backbone", {}).get("weights")
    return f"{fingerprint(setting)} {weights}"
