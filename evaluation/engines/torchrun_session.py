"""A pass over data by the ranks of torchrun: each counts its chunks, one sum at the end.

Nothing waits for another rank on the way. The sums are of integers on the host, over gloo, so that
ranks may share a GPU, and a machine without one takes part.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor

from evaluation.engines.engine import FAILURES, Step
from evaluation.engines.local import LocalSession
from evaluation.engines.worker import Order, Part, Worker, order_of, part_of
from evaluation.measure.batches import Reading
from evaluation.measure.counting import (
    Counting,
    count_chunks,
    start_counting,
    texts_of,
)
from evaluation.measure.machine import Machine, this_machine, together
from evaluation.measure.memory import PeakMeter

if TYPE_CHECKING:
    from evaluation.measure.batches import Chunk
    from evaluation.measure.counting import Texts
    from evaluation.measure.work import Checkpoint, Work

PATIENCE = timedelta(days=30)  # the first rank may do much between two passes


@dataclass(frozen=True)
class Told:
    """What the first rank tells all others of a pass: parts and a checkpoint for each rank."""

    order: Order
    texts: Texts
    parts: Sequence[Sequence[Part]]
    checkpoints: Sequence[Checkpoint | None]


@dataclass(frozen=True)
class Answer:
    """What a rank says at the end of its parts: its error, or rows that no sum can hold."""

    rows: Sequence[Mapping[str, Tensor]] = ()
    machine: Machine | None = None
    error: Exception | None = None


class TorchrunSession(LocalSession):
    """Passes, one after the other, by all ranks; the others are taken to be as far as the first."""

    busy = False  # whether other ranks are in a pass that this one has not ended

    def _do(self, work: Work) -> Iterator[Step]:
        """Tell the others, count this rank's share, and add what the others have counted."""
        meter = PeakMeter(work.settings[0].segmenter.device)
        chunks = work.begin(start_counting(work.settings))
        yield Step(work, images=len(work.done))
        ranks = dist.get_world_size()
        shares = [chunks[rank::ranks] for rank in range(ranks)]
        _broadcast(self._told(work, shares))
        type(self).busy, error, reading = True, None, Reading()
        try:
            yield from _count_own(work, shares[0], reading, images=sum(map(len, chunks)))
        except FAILURES as failed:
            error = failed
        machine = this_machine(meter.device, meter.peak(), reading)
        answers = _gather(Answer(machine=machine, error=error))
        errors = [one.error for one in answers if one.error]
        _broadcast(not errors)
        if not errors:
            _add_all(work.counting, answers)
        type(self).busy = False
        if errors:
            raise errors[0]
        for one in work.counting:
            one.done.update(name for chunk in chunks for name in chunk)
        work.machine = together([one.machine for one in answers if one.machine])
        yield Step(work, ended=True)

    def _told(self, work: Work, shares: Sequence[Sequence[Chunk]]) -> Told:
        return Told(
            order=order_of(work),
            texts=texts_of(work.counting),
            parts=[[part_of(work, chunk) for chunk in share] for share in shares],
            checkpoints=[
                work.checkpoint.of_part(rank) if work.checkpoint else None
                for rank in range(len(shares))
            ],
        )


def _count_own(
    work: Work, share: Sequence[Chunk], reading: Reading, *, images: int
) -> Iterator[Step]:
    """Count the first rank's chunks; the steps add up to all ``images`` that wait."""
    own, counted, shown = sum(map(len, share)), 0, 0
    watch = work.watcher() if work.watcher else None
    for ids in count_chunks(work.counting, share, watch, reading):
        work.save_if_due()
        counted += len(ids)
        step = images * counted // own - shown
        shown += step
        yield Step(work, step)


def meet() -> None:
    """Meet the other ranks, once. Raises ValueError if a machine has fewer GPUs than ranks."""
    if dist.is_initialized():
        return
    local, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if gpus and local >= gpus:
        raise ValueError(
            f"torchrun has started a rank {local} on a machine of {gpus} GPUs; expected "
            f"--nproc-per-node={gpus} or fewer"
        )
    if gpus:
        torch.cuda.set_device(local)
    dist.init_process_group("gloo", timeout=PATIENCE)


def follow() -> None:
    """What every rank but the first does, until the first has ended."""
    meet()
    worker, rank = Worker(), dist.get_rank()
    while isinstance(told := _broadcast(None), Told):
        counting: list[Counting] = []
        try:
            counting, machine = _count_part(worker, told, rank)
        except FAILURES as error:
            _gather(Answer(error=error))
        else:
            _gather(Answer(rows=[_split(one)[1] for one in counting], machine=machine))
        if _broadcast(None):
            dist.reduce(_flat(counting), dst=0)
    _part()


def dismiss() -> None:
    """Let the other ranks end. Where they are in a pass, torchrun ends them."""
    if not TorchrunSession.busy:
        meet()
        _broadcast("the end")
        _part()


def _part() -> None:
    """Leave together: threads of gloo that still run when Python ends take it down."""
    dist.barrier()
    dist.destroy_process_group()


def _count_part(worker: Worker, told: Told, rank: int) -> tuple[list[Counting], Machine]:
    parts, checkpoint = told.parts[rank], told.checkpoints[rank]
    meter = PeakMeter(told.order.settings[0].segmenter.device)
    counting, steps, reading = worker.begin(told.order, told.texts, parts)
    for _ in steps:
        if checkpoint:
            checkpoint.save_if_due(counting)
    return counting, this_machine(meter.device, meter.peak(), reading)


def _split(one: Counting) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What is counted, on the host: in tensors of a fixed shape, and in rows of any number."""
    fresh = one.setting.metric.accumulator(one.setting, one.queries).state()
    state = {name: part.cpu() for name, part in one.accumulator.state().items()}
    rows = {name: part for name, part in state.items() if fresh[name].shape[:1] == (0,)}
    return {name: part for name, part in state.items() if name not in rows}, rows


def _flat(counting: Sequence[Counting]) -> Tensor:
    """All fixed counts one after the other."""
    parts = [part.flatten() for one in counting for part in _split(one)[0].values()]
    return torch.cat([torch.zeros(0, dtype=torch.int64), *parts])


def _add_all(counting: Sequence[Counting], answers: Sequence[Answer]) -> None:
    """Add the fixed counts and the rows of the other ranks to those of this one."""
    total = torch.zeros_like(_flat(counting))
    dist.reduce(total, dst=0)
    first = 0
    for place, one in enumerate(counting):
        fixed, rows = _split(one)
        found = {name: torch.cat([a.rows[place][name] for a in answers[1:]]) for name in rows}
        for name, part in fixed.items():
            found[name] = total[first : first + part.numel()].reshape(part.shape)
            first += part.numel()
        one.accumulator.add(found)


def _broadcast(said: object) -> Any:
    """What the first rank says to all."""
    box = [said]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def _gather(answer: Answer) -> list[Answer]:
    """What every rank says to the first one, in their order; nothing elsewhere."""
    found = [Answer()] * dist.get_world_size() if dist.get_rank() == 0 else None
    dist.gather_object(answer, found, dst=0)
    return found or []
