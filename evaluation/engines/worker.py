"""A process that counts chunks for another one: what it is told, and what it answers."""

from __future__ import annotations

import platform
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from evaluation.data.on_disk import fingerprint_data
from evaluation.engines.engine import FAILURES
from evaluation.records.provenance import code, packages_beside
from evaluation.setting import Setting
from evaluation.setting.code import code_files, code_fingerprint
from evaluation.setting.identity import describe
from evaluation.setting.sharing import bare, share_parts

if TYPE_CHECKING:
    from torch import Tensor

    from evaluation.measure.batches import Chunk, Reading
    from evaluation.measure.counting import Counting, Texts, Watch
    from evaluation.measure.machine import Machine
    from evaluation.measure.work import Work


PATIENCE = 1.0  # seconds after which a worker tells what it has counted


@dataclass(frozen=True)
class Order:
    """A pass that a worker is to take part in.

    name: of no other pass. settings: bare ones. seen: what `look_at` has found where the order
    comes from. watcher: see `Work`.
    """

    name: str
    settings: Sequence[Setting]
    seen: Mapping[str, Any]
    watcher: Callable[[], Watch] | None = None


@dataclass(frozen=True)
class Part:
    """Samples to count, and of each setting those of them that are counted already."""

    ids: Chunk
    done: Sequence[AbstractSet[str]]


@dataclass(frozen=True)
class Counted:
    """A step of a worker: so many images; at the end of some parts all that was counted in them.

    states: of each setting, by name. seconds: that a part took.
    """

    images: int = 0
    parts: tuple[int, ...] = ()
    states: Sequence[Mapping[str, Tensor]] = ()
    seconds: float = 0.0
    machine: Machine | None = None
    error: Exception | None = None


def order_of(work: Work) -> Order:
    """What others are told of a pass. Raises what `look_at` raises."""
    settings = [bare(one) for one in work.settings]
    return Order(uuid4().hex, settings, look_at(work.settings), work.watcher)


def part_of(work: Work, chunk: Chunk) -> Part:
    """A chunk of a pass, with what its settings have of it."""
    ids = frozenset(chunk)
    return Part(chunk, [ids & one.done for one in work.counting])


def look_at(settings: Sequence[Setting]) -> dict[str, Any]:
    """What must be the same wherever samples of a pass are counted.

    Raises ValueError or OSError for data that is not there.
    """
    setting = settings[0]
    ids, name = setting.ids, setting.dataset.card.name
    setting.dataset.check(ids)
    return {
        "data": fingerprint_data(setting.dataset, ids),
        "weights": setting.segmenter.provenance.sha256,
        "the code": code_fingerprint(code_files([describe(one) for one in settings], name)),
        "Python": platform.python_version(),
        **code()["packages"],
        **packages_beside(setting),
    }


class Worker:
    """Counts chunks of passes, and keeps the model that it has loaded while it is asked for."""

    def __init__(self, threads: int | None = None) -> None:
        if threads:
            import torch

            torch.set_num_threads(threads)
        self._held: dict[object, Any] = {}
        self._begun: dict[str, list[Setting]] = {}
        self._last: str | None = None

    def started(self) -> str:
        """The name of the machine."""
        return socket.gethostname()

    def embed(self, order: Order) -> tuple[Texts, str, Machine]:
        """The embeddings of the words of a pass, the type of the device, and what it is.

        Raises what loading the model raises, and ValueError if something is not as where the order
        comes from.
        """
        from evaluation.measure.counting import embed_all
        from evaluation.measure.machine import this_machine
        from evaluation.measure.memory import PeakMeter

        settings = self._settings(order)
        device = settings[0].segmenter.device
        meter = PeakMeter(device)
        found = {key: text.cpu() for key, text in embed_all(settings).items()}
        return found, device.type, this_machine(device, meter.peak())

    def count(self, order: Order, texts: Texts, parts: Mapping[int, Part]) -> Iterator[Counted]:
        """Count parts, which have numbers. What fails is the last step."""
        try:
            yield from self._count(order, texts, parts)
        except FAILURES as error:
            yield Counted(error=error)

    def try_first(self, order: Order) -> None:
        """Count the first sample of an order of one setting, and forget it."""
        from evaluation.measure.counting import try_first

        try_first(self._settings(order)[0])

    def _count(self, order: Order, texts: Texts, parts: Mapping[int, Part]) -> Iterator[Counted]:
        from evaluation.measure.machine import this_machine
        from evaluation.measure.memory import PeakMeter

        meter = PeakMeter(self._settings(order)[0].segmenter.device)
        counting, steps, reading = self.begin(order, texts, list(parts.values()))
        images, ended, start, last = 0, list[int](), time.perf_counter(), max(parts)
        for number, part in parts.items():
            left = len(part.ids)
            while left:
                batch = len(next(steps))
                left, images = left - batch, images + batch
                if left and time.perf_counter() - start > PATIENCE:
                    yield Counted(images)
                    images = 0
            ended.append(number)
            took = time.perf_counter() - start
            if took > PATIENCE or number == last:
                yield Counted(
                    images,
                    parts=tuple(ended),
                    states=[one.take() for one in counting],
                    seconds=took / len(ended),
                    machine=this_machine(meter.device, meter.peak(), reading),
                )
                images, ended, start = 0, [], time.perf_counter()

    def begin(
        self, order: Order, texts: Texts, parts: Sequence[Part]
    ) -> tuple[list[Counting], Iterator[Chunk], Reading]:
        """What counts parts, the ids of each batch as it is counted, and what reading costs."""
        from evaluation.measure.batches import Reading
        from evaluation.measure.counting import count_chunks, start_counting

        counting = start_counting(self._settings(order), texts)
        for place, one in enumerate(counting):
            one.elsewhere = frozenset().union(*(part.done[place] for part in parts))
        watch = order.watcher() if order.watcher else None
        reading, chunks = Reading(), [part.ids for part in parts]
        return counting, count_chunks(counting, chunks, watch, reading), reading

    def _settings(self, order: Order) -> list[Setting]:
        """The settings of an order on models that are held; others' models are let go.

        Raises ValueError, the first time, if something is not as where the order comes from.
        """
        if order.name not in self._begun:
            settings = share_parts(order.settings, self._held)
            _check_alike(order.seen, _seen_here(settings))
            self._begun[order.name] = settings
        if order.name != self._last:
            self._let_go(self._begun[order.name])
            self._last = order.name
        return self._begun[order.name]

    def _let_go(self, settings: Sequence[Setting]) -> None:
        needed = {model for one in settings for model in one.segmenter.models}
        for other in self._begun.values():
            for setting in other:
                setting.segmenter.unload(keep=needed)


def _seen_here(settings: Sequence[Setting]) -> dict[str, Any]:
    try:
        return look_at(settings)
    except (ValueError, OSError) as error:
        raise ValueError(f"{error} (on the machine {socket.gethostname()})") from error


def _check_alike(there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Raise ValueError for the first thing that is not as where the order comes from."""
    for name, value in there.items():
        if here.get(name) != value:
            shown = f"{here.get(name)}, expected {value} as on the one that gave the order"
            raise ValueError(f"the machine {socket.gethostname()} has another {name}: {shown}")
