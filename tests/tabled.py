"""Published tables with settings and records that nothing was evaluated for."""

from drawn import setting_of

from evaluation.data import Hub, PointLabels, Toy, ToyPoints
from evaluation.records.record import Record
from evaluation.setting.code import code_fingerprint
from evaluation.tables.cells import plan_table
from evaluation.tables.fill import TableResults
from evaluation.tables.overrides import value_of
from evaluation.tables.published import load_table
from gem.backbones import OpenClip
from gem.methods import Clip, ClipSurgery, Gem, MaskClip

METHODS = {"clip": Clip, "clip_surgery": ClipSurgery, "maskclip": MaskClip}
DATA = {
    "toy": Toy(),
    "toy_points": ToyPoints(),
    "openimages": PointLabels(
        dataset="openimages", root="", points="", classes="", image="{id}.jpg"
    ),
}


def compose(overrides):
    """Settings that differ where the overrides do, without Hydra."""
    name = value_of(overrides, "dataset") or "toy"
    method = METHODS.get(value_of(overrides, "method"))
    depth, iters = value_of(overrides, "gem.blocks"), value_of(overrides, "gem.iters")
    scale = value_of(overrides, "gem.temperature_scale")
    gem = Gem(
        iters=int(iters or 1),
        blocks=int(depth or 4),
        mlp=value_of(overrides, "gem.mlp") == "true",
        normalize=value_of(overrides, "gem.normalize") != "false",
        temperature_scale=float(scale or 1),
    )
    backbone = value_of(overrides, "backbone") or "tiny"
    return setting_of(
        OpenClip(
            model=value_of(overrides, "backbone.model") or backbone,
            weights=value_of(overrides, "backbone.weights"),
        ),
        method=method() if method else gem,
        dataset=DATA[name] if name in DATA else Hub(dataset=name, repository="none"),
    )


def record(score, images=10, **other):
    fields = {
        "schema": 2, "key": "k", "titles": {}, "names": {}, "setting": {}, "per_class": {},
        "counts": {},
        "scores": {"miou": score, "pmiou": score}, "images": images, "limit": None,
        "warnings": ["10 of the 20 images"], "model": {}, "code": {}, "created": "",
        "hashes": {"code": code_fingerprint()},
        "cost": {"images_per_second": 5.0, "device": "none"},
    }  # fmt: skip
    return Record(**fields | other)


def row_of(plan, *key):
    """The planned cells of a row, by column of ours."""
    number = next(n for n, row in enumerate(plan.table.rows) if row.key[: len(key)] == key)
    return {column.name: column.cells[number] for column in plan.columns}


def settings_of(plan):
    return list(dict.fromkeys(plan.settings(timed=False)))


def laid_out(name, *given, score=0.4567):
    plan = plan_table(load_table(name), given, compose)
    records, speeds = (
        dict.fromkeys(plan.settings(timed=timed), record(score)) for timed in (False, True)
    )
    return plan, TableResults(records, speeds)
