"""Which chunk a free worker counts next: a pure state machine, without processes or clocks.

It knows passes by names, chunks and workers by numbers. `scripts/rehearse.py` runs it with
simulated workers.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil

TRIES = 3  # workers that may be lost over one chunk
SECONDS = 20.0  # of work that a worker is given at once


@dataclass(frozen=True)
class Lot:
    """What a worker is given at once: some chunks of one pass, in their order."""

    work: str
    chunks: tuple[int, ...]


class LostTooOftenError(RuntimeError):
    """A chunk that several workers did not survive."""

    def __init__(self, work: str, chunk: int) -> None:
        super().__init__(f"{TRIES} workers were lost over chunk {chunk}")
        self.work, self.chunk = work, chunk


@dataclass
class _Waiting:
    """The chunks of one pass that nobody has, and how long one takes."""

    chunks: deque[int]
    left: set[int]
    seconds: float | None = None


@dataclass
class Schedule:
    """Hands chunks out, each until it is done once.

    A worker goes on with the pass that it counted last, whose model it has; else it takes the first
    pass that has fewest workers for what waits. Lots are small, so that no worker holds much when
    the others have nothing left: at most half of its share of what waits, and about `SECONDS` of
    work. What a lost worker had goes to others, first of all.
    """

    workers: int
    _works: dict[str, _Waiting] = field(default_factory=dict)
    _held: dict[int, Lot] = field(default_factory=dict)  # by worker
    _last: dict[int, str] = field(default_factory=dict)  # the pass of each worker
    _losses: dict[tuple[str, int], int] = field(default_factory=dict)

    def add(self, work: str, chunks: int, *, first: bool = False) -> None:
        """A pass of so many chunks, behind the others or before them."""
        new = {work: _Waiting(deque(range(chunks)), set(range(chunks)))} if chunks else {}
        self._works = {**new, **self._works} if first else {**self._works, **new}

    def drop(self, work: str) -> None:
        """Forget a pass; who counts chunks of it becomes free by `lost` or `free`."""
        self._works.pop(work, None)

    def has(self, work: str) -> bool:
        """Whether a pass has anything left."""
        return work in self._works

    def prefer(self, worker: int, work: str) -> None:
        """Note that a worker has what a pass needs."""
        self._last[worker] = work

    def next(self, worker: int) -> Lot | None:
        """What a free worker does now; None if nothing waits."""
        open_works = [name for name, one in self._works.items() if one.chunks]
        if not open_works:
            return None
        last = self._last.get(worker)
        work = last if last in open_works else min(open_works, key=self._crowd)
        waiting = self._works[work]
        lot = Lot(work, tuple(waiting.chunks.popleft() for _ in range(self._size(waiting))))
        self._held[worker], self._last[worker] = lot, work
        return lot

    def done(self, worker: int, chunk: int, seconds: float | None = None) -> bool:
        """Note that a worker has counted a chunk; False if it is not to be counted (again)."""
        held = self._held[worker]
        self._held[worker] = Lot(held.work, tuple(one for one in held.chunks if one != chunk))
        waiting = self._works.get(held.work)
        if waiting is None or chunk not in waiting.left:
            return False
        waiting.left.remove(chunk)
        if seconds is not None:
            waiting.seconds = seconds
        if not waiting.left:
            self.drop(held.work)
        return True

    def free(self, worker: int) -> None:
        """Note that a worker has done its lot, or left it; what it had left goes to others."""
        lot = self._held.pop(worker, None)
        if lot and (waiting := self._works.get(lot.work)):
            waiting.chunks.extendleft(reversed([one for one in lot.chunks if one in waiting.left]))

    def lost(self, worker: int) -> None:
        """Note that a worker is gone.

        Raises LostTooOftenError if the chunk that it was at has taken others with it.
        """
        lot = self._held.get(worker)
        self.free(worker)
        self._last.pop(worker, None)
        if not lot or not lot.chunks or lot.work not in self._works:
            return
        at = (lot.work, lot.chunks[0])
        self._losses[at] = self._losses.get(at, 0) + 1
        if self._losses[at] >= TRIES:
            raise LostTooOftenError(*at)

    def _crowd(self, work: str) -> float:
        """Workers of a pass for each chunk of it that waits."""
        busy = sum(lot.work == work for lot in self._held.values())
        return busy / len(self._works[work].chunks)

    def _size(self, waiting: _Waiting) -> int:
        share = ceil(len(waiting.chunks) / (2 * self.workers))
        soon = 1 if not waiting.seconds else max(1, int(SECONDS / waiting.seconds))
        return min(share, soon)
