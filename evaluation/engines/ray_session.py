"""The driver of Ray's workers: hands chunks out, adds up what comes back, replaces what is lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Self

import ray
from ray.exceptions import RayError, RayTaskError

from evaluation.console import note
from evaluation.engines.engine import FAILURES, Step
from evaluation.engines.schedule import TRIES, LostTooOftenError, Schedule
from evaluation.engines.worker import Counted, Order, Worker, order_of, part_of
from evaluation.measure.counting import start_adding
from evaluation.measure.machine import Machine, together
from evaluation.measure.work import Work

if TYPE_CHECKING:
    from evaluation.measure.batches import Chunk
    from evaluation.setting import Setting

SILENCE = 30.0  # seconds without a word of any worker
LONGEST = 300  # letters of what Ray says of a lost worker


@dataclass(eq=False)
class _Pass:
    """A piece of work: what workers are told of it, and what it has come to."""

    work: Work
    order: Order
    told: Any  # of Ray: the order, put where all workers find it
    texts: Any = None
    chunks: Sequence[Chunk] = ()
    machines: dict[int, Machine] = field(default_factory=dict)
    lost: int = 0  # workers, over its words


@dataclass(eq=False)
class _Task:
    """What a worker is doing: it starts, embeds the words of a pass, or counts chunks of it.

    told: images that it is through with, but whose counts have not come.
    """

    worker: int
    one: _Pass | None = None
    counts: bool = False
    told: int = 0


class RaySession:
    """Passes, and workers that live until the session is closed.

    A worker without a chunk to count embeds the words of a pass that has not begun, also where
    another one does: so all of them load the model at the same time. The first answer counts.
    """

    def __init__(self, workers: int, threads: int, gpus: int) -> None:
        self._actor = ray.remote(num_cpus=threads if not gpus else 1, num_gpus=gpus)(Worker)
        self._threads, self._numbers = threads, count()
        self._schedule = Schedule(workers)
        self._waiting: deque[_Pass] = deque()
        self._open: dict[str, _Pass] = {}
        self._actors: dict[int, Any] = {}
        self._free: list[int] = []
        self._tasks: dict[Any, _Task] = {}
        self._started, self._unborn = False, 0
        for _ in range(workers):
            self._hire()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for actor in self._actors.values():
            ray.kill(actor)

    def add(self, work: Work, *, first: bool = False) -> None:
        """Put a pass behind what waits, or before it."""
        order = order_of(work)
        one = _Pass(work, order, ray.put(order))
        (self._waiting.appendleft if first else self._waiting.append)(one)

    def steps(self) -> Iterator[Step]:
        """Steps of all passes, as their counts come in."""
        while self._waiting or self._open:
            self._hand_out()
            ready, _ = ray.wait(list(self._tasks), num_returns=1, timeout=SILENCE)
            if ready:
                yield from self._take(ready[0], self._tasks.pop(ready[0]))
            elif not self._started:
                note("no worker of Ray has started yet, for want of room or time: waiting")

    def try_first(self, setting: Setting) -> None:
        """On one of the workers."""
        order = order_of(Work([setting]))
        actor = self._actors[next(iter(self._actors))]
        try:
            ray.get(actor.try_first.remote(order))
        except RayTaskError as error:
            raise error.cause from None
        except RayError as error:  # its place is filled when its task is looked at
            raise RuntimeError(f"a worker was lost: {_in_short(error)}") from error

    def _hire(self) -> None:
        """A new worker, which is free as soon as it has started."""
        number = next(self._numbers)
        actor: Any = self._actor.remote(self._threads)
        self._actors[number] = actor
        self._tasks[actor.started.remote()] = _Task(number)

    def _hand_out(self) -> None:
        """Give every free worker something to do, if there is something."""
        for worker in list(self._free):
            actor = self._actors[worker]
            if lot := self._schedule.next(worker):
                one = self._open[lot.work]
                parts = {number: part_of(one.work, one.chunks[number]) for number in lot.chunks}
                stream = actor.count.options(num_returns="streaming").remote(
                    one.told, one.texts, parts
                )
                self._tasks[stream] = _Task(worker, one, counts=True)
            elif self._waiting:
                one = min(self._waiting, key=self._embedders)
                self._tasks[actor.embed.remote(one.told)] = _Task(worker, one)
            else:
                continue
            self._free.remove(worker)

    def _embedders(self, one: _Pass) -> int:
        return sum(task.one is one for task in self._tasks.values())

    def _take(self, ready: Any, task: _Task) -> Iterator[Step]:
        """What a worker has to say, or that it is gone."""
        one = task.one
        try:
            answer = ray.get(next(ready) if task.counts else ready)
        except StopIteration:
            self._set_free(task.worker)
        except RayTaskError as error:
            self._set_free(task.worker)
            if not isinstance(error.cause, FAILURES):
                raise
            if one:
                yield from self._fail(one, error.cause)
        except RayError as error:
            yield from self._replace(task, error)
        else:
            if one and task.counts:
                self._tasks[ready] = task
                yield from self._add(one, task, answer)
                return
            self._started = True
            self._set_free(task.worker)
            if one and one in self._waiting:
                self._schedule.prefer(task.worker, one.order.name)
                yield from self._begin(one, *answer)

    def _set_free(self, worker: int) -> None:
        self._schedule.free(worker)
        self._free.append(worker)

    def _begin(
        self, one: _Pass, texts: Mapping[Any, Any], device: str, machine: Machine
    ) -> Iterator[Step]:
        """The words are embedded: go on from what was kept, and let workers count the rest."""
        self._waiting.remove(one)
        yield Step(one.work)
        try:
            one.chunks = one.work.begin(start_adding(one.work.settings, texts, device))
        except FAILURES as error:
            yield Step(one.work, error=error)
            return
        one.texts, one.machines = ray.put(texts), {-1: machine}
        self._open[one.order.name] = one
        yield Step(one.work, images=len(one.work.done))
        self._schedule.add(one.order.name, len(one.chunks))
        yield from self._end_if_done(one)

    def _add(self, one: _Pass, task: _Task, counted: Counted) -> Iterator[Step]:
        """Add what a worker has counted to the rest, if nobody else has counted it."""
        if one.order.name not in self._open:  # it has failed elsewhere
            return
        if counted.error:
            yield from self._fail(one, counted.error)
            return
        task.told += counted.images
        yield Step(one.work, images=counted.images)
        if not counted.parts:
            return
        task.told = 0
        for number in counted.parts:
            fresh = self._schedule.done(task.worker, number, counted.seconds)
            assert fresh, f"chunk {number} was counted twice"  # noqa: S101 never a wrong number
        ids = [name for number in counted.parts for name in one.chunks[number]]
        for counting, state in zip(one.work.counting, counted.states, strict=True):
            counting.accumulator.add(state)
            counting.done.update(ids)
        if counted.machine:
            one.machines[task.worker] = counted.machine
        one.work.save_if_due()
        yield from self._end_if_done(one)

    def _end_if_done(self, one: _Pass) -> Iterator[Step]:
        if self._schedule.has(one.order.name):
            return
        del self._open[one.order.name]
        if len(one.machines) > 1:  # else all was counted before: the machine is who embedded
            del one.machines[-1]
        one.work.machine = together(list(one.machines.values()))
        yield Step(one.work, ended=True)

    def _fail(self, one: _Pass, error: Exception) -> Iterator[Step]:
        """Forget a pass, unless it has failed before."""
        if one in self._waiting:
            self._waiting.remove(one)
        elif self._open.pop(one.order.name, None):
            self._schedule.drop(one.order.name)
        else:
            return
        yield Step(one.work, error=error)

    def _replace(self, task: _Task, error: RayError) -> Iterator[Step]:
        """A worker is gone: another one takes its place, and its chunks wait again."""
        one = task.one
        del self._actors[task.worker]
        reason = _in_short(error)
        if one is None:
            self._unborn += 1
            if self._unborn >= TRIES * self._schedule.workers:
                raise RuntimeError(f"engine=ray: workers do not start: {reason}")
        self._hire()
        if one is None:
            return
        if task.told:
            yield Step(one.work, images=-task.told)
        try:
            self._schedule.lost(task.worker)
        except LostTooOftenError as lost:
            ids = one.chunks[lost.chunk]
            yield from self._fail(one, _lost(f"samples {ids[0]} to {ids[-1]}", reason))
        if not task.counts and one in self._waiting:
            one.lost += 1
            if one.lost >= TRIES:
                yield from self._fail(one, _lost("the words of the pass", reason))


def _in_short(error: RayError) -> str:
    return " ".join(str(error).split())[:LONGEST]


def _lost(what: str, reason: str) -> RuntimeError:
    return RuntimeError(f"{TRIES} workers were lost over {what}: {reason}")
