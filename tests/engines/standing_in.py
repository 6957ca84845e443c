"""Settings that cost next to nothing: masks, points and thresholds by a stand-in for a model."""

import os
from dataclasses import dataclass, replace

from drawn import Noise

from evaluation.data import Toy, ToyPoints
from evaluation.measure import ByTask, Thresholds
from evaluation.run.sweep import run_sweep
from evaluation.segmenters import StandIn
from evaluation.setting import EvalProtocol, Setting
from gem import Prompts, ShortSide

IMAGES = 37  # four whole chunks of eight and one of five
NUMBERS = (
    "key", "names", "setting", "scores", "titles", "per_class", "counts", "images", "hashes",
    "warnings", "model",
)  # fmt: skip


def settings_of(images=IMAGES, **options):
    """Two settings of masks that share a pass, one of thresholds, one of points."""
    masks = Setting(
        **{
            "segmenter": StandIn(patch=8, width=16, place="cpu"),
            "dataset": Toy(scenes=images, size=48, split="eval"),
            "protocol": EvalProtocol(name="test", resize=ShortSide(size=48), background=0.2),
            "prompts": Prompts(templates=("{}",)),
            "metric": ByTask(),
            "batch_size": 1,
            "workers": 1,
        }
        | options
    )
    lower = replace(masks, protocol=replace(masks.protocol, background=0.1))
    points = ToyPoints(scenes=images, size=48, split="eval", points=2, absent=1)
    return [masks, lower, replace(masks, metric=Thresholds()), replace(masks, dataset=points)]


def numbers(record):
    """What must be equal, whoever counted."""
    return {name: getattr(record, name) for name in NUMBERS}


def swept(settings, folder, engine, **options):
    """The numbers of the records of settings, in their order; no setting failed."""
    found = run_sweep(settings, folder, engine=engine, **options)
    assert [one.error for one in found] == [None] * len(found)
    return [numbers(one.record) for one in found]


@dataclass(frozen=True)
class Failing:
    """A metric that cannot count, with settings that can."""

    def accumulator(self, setting, queries):
        real = ByTask().accumulator(setting, queries)
        real.count = fail
        return real


def fail(*_):
    raise ValueError("this metric cannot count")


@dataclass(frozen=True)
class Hidden(Noise):
    """Images that only the process ``mine`` can see."""

    mine: int = 0

    def check(self, ids):  # noqa: ARG002
        if os.getpid() != self.mine:
            raise FileNotFoundError(f"dataset.root={self.root}: there is no such folder")
