"""Many workers that stumble, simulated: the engine's own schedule, made-up times.

Nothing is measured here. Every tenth worker is three times slower, times of chunks are log-normal,
and now and then a worker is lost, whose place is filled after 30 s. What a lost worker was at is
counted again by another; what it had told before is counted.
"""

import heapq
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from evaluation.engines.schedule import LostTooOftenError, Schedule


@dataclass(frozen=True)
class Cluster:
    """Workers that stumble; seconds. spread: of the logarithm of the time of a chunk.

    lost_every: from one loss of a worker to the next, in the mean; None: none is lost.
    """

    workers: int = 64
    slow_every: int = 10
    slowdown: float = 3.0
    spread: float = 0.5
    lost_every: float | None = 20.0
    replaced: float = 30.0

    def speed(self, place: int) -> float:
        """Of the worker in a place, whoever fills it."""
        return 1 / self.slowdown if place % self.slow_every == self.slow_every - 1 else 1.0


@dataclass(frozen=True)
class Outcome:
    """How it went. ideal: seconds if all work could be divided and nobody was lost.

    idle: the share of the workers' time in which they had nothing to do. again: chunks that were
    begun by a worker that was lost. twice, never: chunks that were counted so; both must be 0.
    given_up: passes in which one chunk took too many workers with it.
    """

    chunks: int
    ideal: float
    makespan: float
    idle: float
    lost: int
    again: int
    twice: int
    never: int
    given_up: int


class Simulation:
    """One run over passes, each with the seconds of its chunks at full speed."""

    def __init__(self, passes: Mapping[str, Sequence[float]], cluster: Cluster, seed: int) -> None:
        self.passes, self.cluster = passes, cluster
        self.schedule, self.dice = Schedule(cluster.workers), random.Random(seed)  # noqa: S311
        for name, chunks in passes.items():
            self.schedule.add(name, len(chunks))
        self.now, self.numbers, self.order = 0.0, count(), count()
        self.events: list[tuple[float, int, str, int]] = []  # time, order, kind, worker
        self.place = {next(self.numbers): place for place in range(cluster.workers)}
        self.free = list(self.place)
        self.doing: dict[int, tuple[str, list[int], float]] = {}  # pass, chunks, since when
        self.counted: Counter[tuple[str, int]] = Counter()
        self.idle, self.lost, self.again, self.given_up = 0.0, 0, 0, 0

    def run(self) -> Outcome:
        """Until nothing is left."""
        self._lose_later()
        self._hand_out()
        while any(self.schedule.has(name) for name in self.passes):
            then, (self.now, _, kind, worker) = self.now, heapq.heappop(self.events)
            self.idle += len(self.free) * (self.now - then)
            if kind == "chunk" and worker in self.place:
                self._finish(worker)
            elif kind == "loss":
                self._lose()
            elif kind == "new":
                self.free.append(worker)
            self._hand_out()
        return self._outcome()

    def _at(self, seconds: float, kind: str, worker: int = -1) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.order), kind, worker))

    def _hand_out(self) -> None:
        for worker in list(self.free):
            if lot := self.schedule.next(worker):
                self.free.remove(worker)
                self._start(worker, lot.work, list(lot.chunks))

    def _start(self, worker: int, work: str, chunks: list[int]) -> None:
        self.doing[worker] = (work, chunks, self.now)
        self._at(self._seconds(worker, work, chunks[0]), "chunk", worker)

    def _seconds(self, worker: int, work: str, chunk: int) -> float:
        return self.passes[work][chunk] / self.cluster.speed(self.place[worker])

    def _finish(self, worker: int) -> None:
        """A chunk is counted; the worker goes on with its lot, or asks for another one."""
        work, (chunk, *rest), since = self.doing.pop(worker)
        if self.schedule.done(worker, chunk, self.now - since):
            self.counted[work, chunk] += 1
        if rest:
            self._start(worker, work, rest)
        else:
            self.schedule.free(worker)
            self.free.append(worker)

    def _lose_later(self) -> None:
        if self.cluster.lost_every:
            self._at(self.dice.expovariate(1 / self.cluster.lost_every), "loss")

    def _lose(self) -> None:
        """Any worker that is there; another one fills its place later."""
        self._lose_later()
        there = sorted({*self.free, *self.doing})
        if not there:
            return
        worker = self.dice.choice(there)
        self.lost += 1
        if worker in self.free:
            self.free.remove(worker)
        self.again += self.doing.pop(worker, None) is not None
        try:
            self.schedule.lost(worker)
        except LostTooOftenError as error:
            self.schedule.drop(error.work)
            self.given_up += 1
        new = next(self.numbers)
        self.place[new] = self.place.pop(worker)
        self._at(self.cluster.replaced, "new", new)

    def _outcome(self) -> Outcome:
        speed = sum(map(self.cluster.speed, range(self.cluster.workers)))
        chunks = [(name, one) for name, of in self.passes.items() for one in range(len(of))]
        return Outcome(
            chunks=len(chunks),
            ideal=sum(map(sum, self.passes.values())) / speed,
            makespan=self.now,
            idle=self.idle / (self.now * self.cluster.workers),
            lost=self.lost,
            again=self.again,
            twice=sum(times > 1 for times in self.counted.values()),
            never=sum(one not in self.counted for one in chunks),
            given_up=self.given_up,
        )
