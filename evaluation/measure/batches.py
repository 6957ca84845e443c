"""Samples read ahead, met in batches of one shape, encoded once for all settings of a pass.

Shapes: y x pixels of the segmenter's input.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor

from evaluation.measure.finite import CheckedImage
from evaluation.setting import Setting
from gem.segmenter import EncodedImage, Segmenter

# Batches' worth of samples in which images wait for others of their shape.
CHUNK_BATCHES = 8

Chunk = tuple[str, ...]
"""Ids of neighbouring samples: what batches are made of, and what engines hand to workers."""


@dataclass(frozen=True)
class Prepared:
    """A sample on its way: the segmenter's input and the truth at its own resolution.

    seconds: that it took to read and resize.
    """

    id: str
    pixels: Shaped[Tensor, "c y x"]
    truth: Any
    seconds: float = 0.0


@dataclass
class Reading:
    """What reading has cost so far: images, seconds of all readers, and how long all waited for it.

    per_second: images that the readers could give, if nothing else was to be done.
    """

    images: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    readers: int = 1

    @property
    def per_second(self) -> float | None:
        """None before the first image."""
        return self.readers * self.images / self.seconds if self.seconds else None

    def watch(self, ahead: Iterator[Prepared]) -> Iterator[Prepared]:
        """The same samples; what they cost is added."""
        while True:
            start = time.perf_counter()
            item = next(ahead, None)
            self.waited += time.perf_counter() - start
            if item is None:
                return
            self.images += 1
            self.seconds += item.seconds
            yield item


def chunks_of(setting: Setting) -> list[Chunk]:
    """The samples of a setting, cut where its batch size says.

    No batch has samples of two chunks. So which samples meet in a batch is the same in one process
    and in many, and whoever counts a chunk finds the same bits.
    """
    ids, size = setting.ids, CHUNK_BATCHES * setting.batch_size
    return [ids[first : first + size] for first in range(0, len(ids), size)]


def encode_batches(
    settings: Sequence[Setting],
    chunks: Sequence[Chunk] | None = None,
    reading: Reading | None = None,
) -> Iterator[tuple[list[Prepared], dict[Segmenter, list[CheckedImage]]]]:
    """Batches of the samples of ``chunks``, and what each segmenter makes of each of them.

    chunks: those of `chunks_of` unless given, which may lack samples that are done. reading: filled
    on the way.
    Whoever uses scores of an image calls its `CheckedImage.check` before it keeps anything.
    Raises ValueError if the settings cannot share a pass, or if the device has too little memory
    for a batch.
    """
    first = settings[0]
    if any(other.pass_key != first.pass_key for other in settings):
        raise ValueError(
            "settings of one pass need the same model, data set, image size and windows"
        )
    segmenters = list(dict.fromkeys(setting.segmenter for setting in settings))

    def prepare(sample_id: str) -> Prepared:
        start = time.perf_counter()
        sample = first.dataset[sample_id]
        pixels = first.segmenter.prepare(
            sample.image, resize=first.protocol.resize, sample_id=sample.id
        )
        return Prepared(sample.id, pixels, sample.truth, time.perf_counter() - start)

    wanted = chunks_of(first) if chunks is None else chunks
    ids = [sample_id for chunk in wanted for sample_id in chunk]
    reading = Reading() if reading is None else reading
    reading.readers = max(first.workers, 1)
    ahead = reading.watch(read_ahead(ids, prepare, workers=first.workers))
    parts = (bucket(islice(ahead, len(chunk)), first.batch_size) for chunk in wanted)
    for batch in chain.from_iterable(parts):
        images = torch.stack([item.pixels for item in batch])
        found = _encode(first, segmenters, images)
        yield (
            batch,
            {
                segmenter: [
                    CheckedImage(image, segmenter, item.id)
                    for item, image in zip(batch, encoded, strict=True)
                ]
                for segmenter, encoded in zip(segmenters, found, strict=True)
            },
        )


def _encode(
    setting: Setting, segmenters: Sequence[Segmenter], images: Shaped[Tensor, "b c y x"]
) -> Sequence[Sequence[EncodedImage]]:
    """The segmenters' answers for one batch. ValueError where memory is short."""
    if setting.segmenter.device.type == "cuda":
        images = images.pin_memory()
    try:
        return setting.segmenter.encode_together(
            segmenters, images, windows=setting.protocol.tiling
        )
    except torch.OutOfMemoryError as error:
        shape = "x".join(map(str, images.shape[2:]))
        raise ValueError(
            f"batch_size={setting.batch_size}: the device has too little memory for a batch of "
            f"{len(images)} images of {shape}; give a smaller one"
        ) from error


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
    """Batches of equal shape, up to ``size``, of the samples of a chunk; all of them wait at most.

    A full batch comes at once, the others at the end in the order of their first samples. So the
    batches of the samples that are left after some of these are the rest of these.
    """
    waiting: dict[torch.Size, list[Prepared]] = {}
    for sample in samples:
        batch = waiting.setdefault(sample.pixels.shape, [])
        batch.append(sample)
        if len(batch) == size:
            yield waiting.pop(sample.pixels.shape)
    yield from waiting.values()
