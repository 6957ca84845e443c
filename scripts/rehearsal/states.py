"""The counts of a pass as states: the file that keeps them, and adding up those of its chunks."""

import time
from collections.abc import Mapping

import torch
from torch import Tensor

from evaluation.measure.counting import Counting
from evaluation.measure.work import Work
from evaluation.run.checkpoint import States
from evaluation.run.job import PassJob
from evaluation.run.state_files import state_path


def save_state(job: PassJob, work: Work) -> int:
    """Write the state file of a pass that is counted; its bytes. `PassJob.finish` removes it."""
    States(job.settings, job.folder, every=0.0).save_if_due(work.counting)
    return state_path(job.settings[0], job.folder).stat().st_size


def merge_seconds(counting: Counting, chunks: int) -> float:
    """Seconds to add up the states of so many chunks. Raises RuntimeError if the sum is another."""
    whole = {name: part.cpu() for name, part in counting.accumulator.state().items()}
    fresh = counting.setting.metric.accumulator(counting.setting, counting.queries)
    states, start = split(whole, fresh.state(), chunks), time.perf_counter()
    for state in states:
        fresh.add(state)
    added = {name: part.cpu() for name, part in fresh.state().items()}
    seconds = time.perf_counter() - start
    if not all(torch.equal(whole[name], part) for name, part in added.items()):
        raise RuntimeError("the states of the chunks add up to another state than that of the pass")
    return seconds


def split(
    whole: Mapping[str, Tensor], fresh: Mapping[str, Tensor], parts: int
) -> list[dict[str, Tensor]]:
    """A state as so many states that add up to it: rows are cut, counts are shared out."""
    found: list[dict[str, Tensor]] = [{} for _ in range(parts)]
    for name, part in whole.items():
        if fresh[name].shape[:1] == (0,):
            pieces = list(part.tensor_split(parts))
        else:
            share = part // parts
            pieces = [part - (parts - 1) * share, *[share.clone() for _ in range(parts - 1)]]
        for state, piece in zip(found, pieces, strict=True):
            state[name] = piece
    return found
