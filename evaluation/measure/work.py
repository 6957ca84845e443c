"""A pass over data as one piece of work: settings in, counts on the way, results at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from evaluation.measure.batches import Chunk, Reading, chunks_of
from evaluation.measure.counting import Counting, Watch, count_chunks, start_counting
from evaluation.measure.machine import Machine, this_machine
from evaluation.measure.memory import PeakMeter
from evaluation.metrics.accumulator import Outcome
from evaluation.setting import Setting


@dataclass(frozen=True)
class Result:
    """What one pass over a data set gives; ``settings`` shared the pass and its seconds.

    ``text`` is the hash of the embeddings of the words, `text_digest`.
    """

    outcome: Outcome
    images: int
    seconds: float
    settings: int
    machine: Machine
    text: str


class Checkpoint(Protocol):
    """Keeps the counts of a long pass, so that whoever is killed goes on."""

    def restore(self, counting: Sequence[Counting]) -> int:
        """Fill what is counted from what was kept; how many samples all settings have done."""

    def save(self, counting: Sequence[Counting]) -> bool:
        """Keep the counts; whether that was possible. Called between batches."""

    def save_if_due(self, counting: Sequence[Counting]) -> None:
        """The same if the last time is long ago."""

    def of_part(self, part: int) -> Checkpoint:
        """Keeps what another process counts of the same pass, beside this one's."""


@dataclass(eq=False)
class Work:
    """A pass over data that several settings share.

    checkpoint: is gone on from, and written on the way. watcher: makes what is shown each image,
    in the process that counts it. counting, machine: filled by whoever does the work.
    """

    settings: Sequence[Setting]
    checkpoint: Checkpoint | None = None
    watcher: Callable[[], Watch] | None = None
    counting: Sequence[Counting] = ()
    machine: Machine | None = None
    _start: float = field(default_factory=time.perf_counter)

    @property
    def images(self) -> int:
        """How many samples the data set has for it."""
        return len(self.settings[0].ids)

    @property
    def done(self) -> set[str]:
        """The samples that all settings have counted."""
        return set.intersection(*(one.done for one in self.counting))

    def begin(self, counting: Sequence[Counting]) -> list[Chunk]:
        """Go on from what was kept; the samples that wait, by chunk."""
        self.counting = counting
        if self.checkpoint:
            self.checkpoint.restore(counting)
        self._start, done = time.perf_counter(), self.done
        waiting = (
            tuple(one for one in chunk if one not in done) for chunk in chunks_of(self.settings[0])
        )
        return [chunk for chunk in waiting if chunk]

    def save_if_due(self) -> None:
        """Keep the counts if there is a checkpoint, and the last time is long ago."""
        if self.checkpoint:
            self.checkpoint.save_if_due(self.counting)

    def stop(self) -> None:
        """Keep the counts, say how far it came, and raise KeyboardInterrupt."""
        kept = self.checkpoint is not None and self.checkpoint.save(self.counting)
        further = "; the same command goes on from there" if kept else ""
        raise KeyboardInterrupt(f"stopped after {len(self.done)} of {self.images} images{further}")

    def results(self) -> list[Result]:
        """The results once everything is counted, in the order of the settings."""
        seconds, machine = time.perf_counter() - self._start, self.machine
        assert machine  # noqa: S101 whoever did the work has said
        return [
            Result(
                outcome=one.accumulator.outcome(),
                images=self.images,
                seconds=one.seconds + seconds,
                settings=len(self.settings),
                machine=machine,
                text=one.text,
            )
            for one in self.counting
        ]


def count_here(work: Work) -> Iterator[int]:
    """Do a piece of work in this process; the number of images that each step was.

    The first step is what earlier processes have done, if there is something.
    """
    device = work.settings[0].segmenter.device
    meter = PeakMeter(device)
    chunks = work.begin(start_counting(work.settings))
    if done := len(work.done):
        yield done
    watch, reading = work.watcher() if work.watcher else None, Reading()
    for ids in count_chunks(work.counting, chunks, watch, reading):
        work.save_if_due()
        yield len(ids)
    work.machine = this_machine(device, meter.peak(), reading)
