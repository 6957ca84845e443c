"""Which settings are evaluated in one pass over the data, and in how many passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.records.names import names_of
from evaluation.setting import Setting
from gem.segmenter import Segmenter

MEMORY = 2 * 2**30  # bytes that the features of all segmenters of a pass may take for one batch
SIZE = (512, 683)  # height and width of a large photograph, for which the estimate is made
FINEST = 14  # pixels of a patch, to round the sides of that input by; few towers have less


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
class PassPlan:
    """The passes over data that a sweep makes, in the order of their first settings."""

    passes: tuple[Pass, ...]

    @property
    def lines(self) -> list[str]:
        """How many settings and passes there are, then what each pass is called."""
        count = sum(len(one.places) for one in self.passes)
        groups = sum(one.chunk == 1 for one in self.passes)
        head = f"{_many(count, 'setting')} in {_many(groups, 'group')}, "
        head += f"{_many(len(self.passes), 'pass', 'passes')} over data"
        return [head, *(f"  {one}" for one in self.passes)]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def plan_passes(settings: Sequence[Setting], *, memory: int = MEMORY) -> PassPlan:
    """Group settings that can share a pass; chunk a group whose features would need more memory."""
    groups: dict[object, list[int]] = {}
    for place, setting in enumerate(settings):
        groups.setdefault(setting.pass_key, []).append(place)
    passes = [one for group in groups.values() for one in _chunk(group, settings, memory)]
    return PassPlan(tuple(passes))


def title_of(settings: Sequence[Setting]) -> str:
    """What a pass is called: its method, or how many settings it has, and its data."""
    count, names = len(settings), names_of(settings[0])
    return f"{names['method'] if count == 1 else f'{count} settings'} on {names['dataset']}"


def features_size(setting: Setting) -> int:
    """Bytes that one batch of large photographs takes, encoded by the setting's segmenter."""
    protocol = setting.protocol
    size = protocol.resize.fit(*SIZE, FINEST)
    return setting.segmenter.features_bytes(size, protocol.tiling) * setting.batch_size


def _chunk(group: Sequence[int], settings: Sequence[Setting], memory: int) -> list[Pass]:
    """The group in as few passes as fit; settings with the same segmenter count once."""
    by_segmenter: dict[Segmenter, list[int]] = {}
    for place in group:
        by_segmenter.setdefault(settings[place].segmenter, []).append(place)
    ordered = sorted(by_segmenter, key=lambda one: one.cache_group)  # neighbours share most work
    parts: list[list[Segmenter]] = []
    held = 0
    for one in ordered:
        size = features_size(settings[by_segmenter[one][0]])
        if not parts or held + size > memory:
            parts, held = [*parts, []], 0
        parts[-1].append(one)
        held += size
    places = [sorted(place for one in part for place in by_segmenter[one]) for part in parts]
    return [
        Pass(tuple(part), title_of([settings[place] for place in part]), number, len(parts))
        for number, part in enumerate(places, start=1)
    ]


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"
