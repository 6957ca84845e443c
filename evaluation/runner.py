"""One setting over one data set: images in, integer counts out.

Shapes: y x pixels of the model's input.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from evaluation.setting import Setting
from evaluation.tally import MaskTally, Outcome, Tally
from gem.segmenter import Segmenter

# Images wait for others of their shape in at most this many batches' worth of memory.
WAITING_BATCHES = 8

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Prepared:
    """A sample on its way: the model's input and the truth at its own resolution."""

    id: str
    pixels: Float[Tensor, "3 y x"]
    truth: Any


@dataclass(frozen=True)
class Result:
    """What one pass over a data set gives."""

    outcome: Outcome
    images: int
    seconds: float


def evaluate(setting: Setting, advance: Advance = lambda _: None) -> Result:
    """Evaluate a setting; ``advance`` is told of every n images that are done.

    Neither the batch size, the workers nor the order of the samples changes the counts. Raises
    what the data set, the backbone and the method raise.
    """
    ids, backbone, protocol = setting.ids, setting.backbone, setting.protocol
    segmenter = Segmenter(backbone, setting.method, protocol.resize, protocol.windows)
    queries = setting.vocabulary.embed(backbone, setting.prompts)
    tally: Tally = MaskTally(protocol, setting.dataset.card, queries)

    def prepare(sample_id: str) -> Prepared:
        sample = setting.dataset[sample_id]
        return Prepared(sample.id, segmenter.prepare(sample.image), sample.truth)

    start = time.perf_counter()
    ahead = read_ahead(ids, prepare, workers=setting.workers)
    for batch in bucket(ahead, setting.batch_size):
        images = torch.stack([item.pixels for item in batch])
        if backbone.torch_device.type == "cuda":
            images = images.pin_memory()
        for view, item in zip(segmenter.see(images), batch, strict=True):
            tally.update(view, item.truth)
        advance(len(batch))
    return Result(tally.outcome(), images=len(ids), seconds=time.perf_counter() - start)


def read_ahead(
    ids: Sequence[str], prepare: Callable[[str], Prepared], *, workers: int
) -> Iterator[Prepared]:
    """Samples in order, read and resized by threads while the model works on earlier ones.

    Decoding and resizing leave the interpreter's lock. At most four samples a worker wait. Without
    workers each is read when it is asked for. An error is raised where its sample would come.
    """
    if workers == 0:
        yield from map(prepare, ids)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="reader") as pool:
        rest = iter(ids)
        coming = deque(pool.submit(prepare, one) for one in islice(rest, 4 * workers))
        try:
            while coming:
                yield coming.popleft().result()
                coming.extend(pool.submit(prepare, one) for one in islice(rest, 1))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def bucket(samples: Iterable[Prepared], size: int) -> Iterator[list[Prepared]]:
    """Batches of equal shape, up to ``size``; the fullest goes early if too many are waiting."""
    waiting: dict[torch.Size, list[Prepared]] = {}
    for sample in samples:
        batch = waiting.setdefault(sample.pixels.shape, [])
        batch.append(sample)
        crowded = sum(map(len, waiting.values())) >= WAITING_BATCHES * size
        if len(batch) == size or crowded:
            yield waiting.pop(max(waiting, key=lambda shape: len(waiting[shape])))
    yield from waiting.values()
