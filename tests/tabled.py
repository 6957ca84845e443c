"""Published tables with settings and records that nothing was evaluated for."""

from dataclasses import replace
from typing import ClassVar

from drawn import setting_of

from evaluation.data import Hub, PointLabels, Toy, ToyPoints, Words
from evaluation.records.record import Record
from evaluation.setting import EvalProtocol, Pamr
from evaluation.setting.code import code_files, code_fingerprint
from evaluation.tables.cells import plan_table
from evaluation.tables.fill import TableResults
from evaluation.tables.overrides import value_of
from evaluation.tables.published import load_table
from gem.backbones import OpenClip
from gem.methods import Clip, ClipSurgery, Gem, MaskClip
from gem.options import options
from gem.resize import ShortSide
from gem.systems import GemSam, GroundingDino, GroundingSam, GroupVit, Sam
from gem.vocabulary import Prompts

METHODS = {"clip": Clip, "clip_surgery": ClipSurgery, "maskclip": MaskClip}


@options
class Named:
    """A method that is only called so, with the options that it is given."""

    title: ClassVar[str] = "Named"
    published: ClassVar[str] = "2024-01"
    name: str
    given: tuple[str, ...] = ()
    num_blocks: ClassVar[int] = 1
    companion: ClassVar[None] = None
    cache_group: ClassVar[tuple] = ()


def method_of(overrides):
    """The method that the overrides name: GEM with its options, or one without its code."""
    name = value_of(overrides, "method") or "gem"
    given = tuple(sorted(one for one in overrides if one.startswith("method.")))
    if not name.startswith("gem"):
        plain = name in METHODS and not given
        return METHODS[name]() if plain else Named(name=name, given=given)
    depth, iters = value_of(overrides, "gem.blocks"), value_of(overrides, "gem.iters")
    scale = value_of(overrides, "gem.temperature_scale")
    return Gem(
        iters=int(iters or 1),
        blocks=int(depth or (6 if name == "gem_released" else 4)),
        mlp=value_of(overrides, "gem.mlp") == "true",
        normalize=value_of(overrides, "gem.normalize") != "false",
        temperature_scale=float(scale or 1),
    )


def protocol_of(overrides):
    """The protocol that the overrides name, its size by what they say."""
    size = int(value_of(overrides, "protocol.resize.size") or 448)
    name = value_of(overrides, "protocol") or value_of(overrides, "experiment") or "gem"
    refined = any(one.startswith("protocol.pamr=") for one in overrides)
    return EvalProtocol(name=name, resize=ShortSide(size=size), pamr=Pamr() if refined else None)


DATA = {
    "toy": Toy(),
    "toy_points": ToyPoints(),
    "openimages": PointLabels(
        dataset="openimages", root="", points="", classes="", image="{id}.jpg"
    ),
}


SYSTEMS = {
    "groupvit": lambda _: GroupVit(),
    "grounding_sam": lambda _: GroundingSam(detector=GroundingDino(), sam=Sam()),
    "gem_sam": lambda own: GemSam(backbone=own.backbone, method=own.method, sam=Sam()),
}


def compose(overrides):
    """Settings that differ where the overrides do, without Hydra."""
    name = value_of(overrides, "dataset") or "toy"
    backbone = value_of(overrides, "backbone") or "tiny"
    made = setting_of(
        OpenClip(
            model=value_of(overrides, "backbone.model") or backbone,
            weights=value_of(overrides, "backbone.weights"),
        ),
        method=method_of(overrides),
        protocol=protocol_of(overrides),
        vocabulary=Words(family=value_of(overrides, "vocabulary") or "gem"),
        prompts=Prompts(templates=(f"{value_of(overrides, 'prompts') or 'photo'} {{}}",)),
        dataset=DATA[name] if name in DATA else Hub(dataset=name, repository="none"),
    )
    system = SYSTEMS.get(value_of(overrides, "segmenter"))
    return replace(made, segmenter=system(made.segmenter)) if system else made


def record(score, images=10, **other):
    fields = {
        "schema": 2, "key": "k", "titles": {}, "names": {}, "setting": {}, "per_class": {},
        "counts": {},
        "scores": {"miou": score, "pmiou": score}, "images": images, "limit": None,
        "warnings": ["10 of the 20 images"], "model": {}, "code": {}, "created": "",
        "hashes": {"code": code_fingerprint(code_files({}, ""))},
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
    table = load_table(name) if isinstance(name, str) else name
    plan = plan_table(table, given, compose)
    records, speeds = (
        dict.fromkeys(plan.settings(timed=timed), record(score)) for timed in (False, True)
    )
    return plan, TableResults(records, speeds)
