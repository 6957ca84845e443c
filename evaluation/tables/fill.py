"""From the settings of tables to their records: what can run is run, the rest says why not."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.records.record import (
    Record,
    changed_options,
    identify,
    make_record,
    method_name,
    read_record,
    write_record,
)
from evaluation.run.job import find_identified
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
            failed.append(f"{called(done.setting)}: {why[done.setting]}")
    for setting in (setting for setting in timed if setting not in why):
        try:
            speeds[setting] = time_alone(setting, folder / "alone", force=force)
        except FAILURES as error:
            why[setting] = " ".join(str(error).split())
            failed.append(f"speed of {called(setting)}: {why[setting]}")
    return Answers(records, speeds, why, paths, tuple(dict.fromkeys(sentences)), tuple(failed))


def time_alone(setting: Setting, folder: Path, *, force: bool = False) -> Record:
    """The record of a setting's fastest run of three, after a few images to warm up.

    The valid record that ``folder`` has is taken unless ``force``, if its batches, workers and
    device are those of the setting too.
    """
    setting.dataset.check(setting.ids)
    held = None if force else find_identified(identify(setting), folder)
    if held and held[0].setting == describe(setting):
        return held[0]
    from evaluation.measure.evaluate import evaluate

    evaluate(dataclasses.replace(setting, limit=min(WARM_UP, setting.limit or WARM_UP)))
    runs = [evaluate(setting) for _ in range(RUNS)]  # from start to end: nothing is resumed
    record = make_record(setting, min(runs, key=lambda result: result.seconds))
    write_record(record, folder)
    return record


def called(setting: Setting) -> str:
    """A setting in a few words: ``gem iters=3 on voc``."""
    parts = (method_name(setting), changed_options(setting), "on", setting.dataset.card.name)
    return " ".join(filter(None, parts))


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
    backbone = setting.backbone
    if backbone not in asked:
        asked[backbone] = None
        try:
            _ = backbone.provenance
        except (ValueError, OSError) as error:
            parts = describe(backbone)
            name = f"{Path(str(parts['weights'])).name} of {Path(str(parts['model'])).name}"
            asked[backbone] = Obstacle(f"needs weights: {name}", (f"{name}: {error}",))
    return asked[backbone]


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
    model = getattr(setting.backbone, "model", None)
    blocks = tower_blocks(str(model)) if model else None
    if blocks is None or setting.method.reads <= blocks:
        return None
    short = f"the tower has {blocks} blocks"
    return Obstacle(short, ())


def tower_blocks(model: str) -> int | None:
    """Blocks of the image tower of a model; None if its name says nothing."""
    import open_clip

    from gem.backbones.architecture import folder_of

    folder = folder_of(model)
    if folder is None:
        config = open_clip.get_model_config(model)
    else:
        path = folder / "open_clip_config.json"
        content = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        config = content.get("model_cfg")
    layers = config["vision_cfg"].get("layers") if config else None
    return layers if isinstance(layers, int) else None


def _known(folder: Path) -> dict[str, tuple[Record, Path]]:
    """Records of a folder, from whatever machine, by their settings; the newest of each."""
    found: dict[str, tuple[Record, Path]] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            record = read_record(path)
        except (ValueError, OSError):
            continue  # not a record
        name = _name(record.setting)
        if name not in found or found[name][0].created <= record.created:
            found[name] = (record, path)
    return found


def _name(setting: Mapping[str, Mapping[str, object]]) -> str:
    """What a record's description and a setting's have in common, the name of weights included."""
    return f"{fingerprint(setting)} {setting['backbone'].get('weights')}"
