"""Which settings are evaluated in one pass over the data, and in how many passes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TypeVar

from evaluation.data import Dataset
from evaluation.run.job import title_of
from evaluation.setting import Setting
from gem.backbones import Backbone

T = TypeVar("T")

MEMORY = 2 * 2**30  # bytes that the features of all methods of a pass may take for one batch
EMBEDDING = 1024  # numbers a patch; no tower that is supported has more
SIZE = (512, 683)  # height and width of an image that the estimate is made for


@dataclass(frozen=True)
class Pass:
    """Settings that share one pass: their places in the list that was planned.

    ``chunk`` of ``chunks`` passes over the same data, where one pass would not fit in memory.
    """

    places: tuple[int, ...]
    title: str
    chunk: int = 1
    chunks: int = 1

    def __str__(self) -> str:
        part = f" (part {self.chunk} of {self.chunks})" if self.chunks > 1 else ""
        return f"{self.title}{part}"


@dataclass(frozen=True)
class Plan:
    """The passes over data that a sweep makes, in the order of their first settings."""

    passes: tuple[Pass, ...]

    def __str__(self) -> str:
        count = sum(len(one.places) for one in self.passes)
        groups = sum(one.chunk == 1 for one in self.passes)
        head = f"{_many(count, 'setting')} in {_many(groups, 'group')}, "
        head += f"{_many(len(self.passes), 'pass', 'passes')} over data"
        return "\n".join([head, *(f"  {one}" for one in self.passes)])


def plan(settings: Sequence[Setting], *, memory: int = MEMORY) -> Plan:
    """Group settings that can share a pass; chunk a group whose features would need more memory.

    Settings share a pass if backbone, data set, image size, windows and limit are the same.
    """
    groups: list[list[int]] = []
    for place, setting in enumerate(settings):
        mine = (group for group in groups if shared(settings[group[0]]) == shared(setting))
        if (group := next(mine, None)) is None:
            groups.append([place])
        else:
            group.append(place)
    passes = [one for group in groups for one in _chunk(group, settings, memory)]
    return Plan(tuple(passes))


def shared(setting: Setting) -> tuple[object, ...]:
    """What settings must have in common to share one pass."""
    protocol = setting.protocol
    return (setting.backbone, setting.dataset, protocol.resize, protocol.windows, setting.limit)


def share_parts(settings: Sequence[Setting]) -> list[Setting]:
    """The same settings, in which equal backbones and data sets are one object: loaded once."""
    backbones: list[Backbone] = []
    datasets: list[Dataset] = []
    return [
        replace(
            setting,
            backbone=_same(setting.backbone, backbones),
            dataset=_same(setting.dataset, datasets),
        )
        for setting in settings
    ]


def features_size(setting: Setting) -> int:
    """Bytes that the features of one method take for one batch of large photographs, about."""
    protocol = setting.protocol
    patch = 16  # the finest but one: reading the tower's own would load it
    height, width = protocol.resize.fit(*SIZE, patch)
    count, (rows, columns) = 1, (height, width)
    if protocol.windows:
        count = len(protocol.windows.corners(height, width))
        rows, columns = protocol.windows.shape(height, width)
    patches = count * ceil(rows / patch) * ceil(columns / patch)
    return 4 * EMBEDDING * patches * setting.batch_size


def _chunk(group: Sequence[int], settings: Sequence[Setting], memory: int) -> list[Pass]:
    """The group in as few passes as fit; settings with the same method count once."""
    first = settings[group[0]]
    room = max(memory // features_size(first), 1)
    by_method: dict[object, list[int]] = {}
    for place in group:
        by_method.setdefault(settings[place].method, []).append(place)
    kin = sorted(by_method, key=lambda method: getattr(method, "kin", ()))  # these share readouts
    parts = [kin[start : start + room] for start in range(0, len(kin), room)]
    places = [sorted(place for method in part for place in by_method[method]) for part in parts]
    return [
        Pass(tuple(part), title_of([settings[place] for place in part]), number, len(parts))
        for number, part in enumerate(places, start=1)
    ]


def _same(value: T, known: list[T]) -> T:
    """The first known object that equals ``value``, which is known from now on."""
    for one in known:
        if one == value:
            return one
    known.append(value)
    return value


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"
