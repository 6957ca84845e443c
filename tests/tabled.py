"""Published tables with settings and records that nothing was evaluated for."""

from drawn import setting_of

from evaluation.data import Toy, ToyPoints
from evaluation.records.record import Record
from evaluation.setting.code import code_fingerprint
from evaluation.tables.fill import Answers
from evaluation.tables.overrides import value_of
from evaluation.tables.plan import make_plan
from evaluation.tables.published import load_table
from gem.backbones import OpenClip
from gem.methods import Clip, ClipSurgery, Gem, MaskClip

METHODS = {"clip": Clip, "clip_surgery": ClipSurgery, "maskclip": MaskClip}
DATA = ("voc", "context", "ade20k", "toy", "openimages", "toy_points")


def compose(words):
    """Settings that differ where the words do, without Hydra."""
    name = value_of(words, "dataset")
    kind = ToyPoints if name in {"openimages", "toy_points"} else Toy
    method = METHODS.get(value_of(words, "method"))
    depth, iters = value_of(words, "gem.blocks"), value_of(words, "gem.iters")
    scale = value_of(words, "gem.temperature_scale")
    gem = Gem(
        iters=int(iters or 1),
        blocks=int(depth or 4),
        mlp=value_of(words, "gem.mlp") == "true",
        normalize=value_of(words, "gem.normalize") != "false",
        temperature_scale=float(scale or 1),
    )
    return setting_of(
        OpenClip(
            model=value_of(words, "backbone") or "none", weights=value_of(words, "backbone.weights")
        ),
        method=method() if method else gem,
        dataset=kind(scenes=1 + DATA.index(name)),
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


def asked(plan, *key):
    """The asks of a row, by column of ours."""
    number = next(n for n, row in enumerate(plan.table.rows) if row.key[: len(key)] == key)
    return {group.name: ask for group, ask in zip(plan.groups, plan.asks[number], strict=True)}


def laid_out(name, *given, score=0.4567):
    plan = make_plan(load_table(name), given, compose)
    found = dict.fromkeys(plan.settings, record(score))
    return plan, Answers(found, dict.fromkeys(plan.timed, record(score)), {})
