"""One setting over one data set: images in, integer counts out.

Shapes: y x pixels of the model's input.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from evaluation.data import Points
from evaluation.measure.mask_accumulator import Accumulator, ImageCache, MaskAccumulator, Outcome
from evaluation.measure.point_accumulator import PointAccumulator
from evaluation.measure.text_cache import embed_text
from evaluation.run.checkpoint import Counting, States
from evaluation.run.passes import shared
from evaluation.setting import Setting
from gem.methods import Method
from gem.segmenter import Segmenter, View
from gem.vocabulary import Queries

# Images wait for others of their shape in at most this many batches' worth of memory.
WAITING_BATCHES = 8

Advance = Callable[[int], None]
Count = Callable[[Setting, Queries], Accumulator]


@dataclass(frozen=True)
class Prepared:
    """A sample on its way: the model's input and the truth at its own resolution."""

    id: str
    pixels: Float[Tensor, "3 y x"]
    truth: Any


@dataclass(frozen=True)
class Result:
    """What one pass over a data set gives; ``settings`` shared the pass and its seconds."""

    outcome: Outcome
    images: int
    seconds: float
    settings: int


def evaluate(setting: Setting, advance: Advance = lambda _: None) -> Result:
    """Evaluate a setting; ``advance`` is told of every n images that are done.

    Neither the batch size, the workers nor the order of the samples changes the counts. Raises
    what the data set, the backbone and the method raise.
    """
    (result,) = evaluate_all([setting], advance)
    return result


def evaluate_all(
    settings: Sequence[Setting],
    advance: Advance = lambda _: None,
    count: Count | None = None,
    states: States | None = None,
) -> list[Result]:
    """Evaluate several settings in one pass over the data, each as if it were alone.

    They may differ in the method, the words and prompts, and how the decision is taken; the
    seconds are those of the whole pass. ``count`` makes what counts a setting's images, `tally_of`
    unless given. ``states`` are gone on from and written on the way. Raises ValueError if the
    settings cannot share a pass.
    """
    if settings[0].backbone.torch_device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(settings[0].backbone.torch_device)
    words: dict[object, Queries] = {}  # equal words are one object, by which tallies share
    counting = []
    for setting in settings:
        asked = (setting.asked, setting.prompts)
        words[asked] = words.get(asked) or embed_text(setting)
        counting.append(Counting((count or tally_of)(setting, words[asked])))
    if states and (done := states.restore(counting)):
        advance(done)
    start = time.perf_counter()
    for batch, views in look(settings, skip=set.intersection(*(one.done for one in counting))):
        for method, seen in views.items():
            mine = [one for one, of in zip(counting, settings, strict=True) if of.method == method]
            for view, item in zip(seen, batch, strict=True):
                once = ImageCache()
                for one in (one for one in mine if item.id not in one.done):
                    one.tally.update(view, item.truth, once)
                    one.done.add(item.id)
        if states:
            states.save_if_due(counting)
        advance(len(batch))
    seconds, images = time.perf_counter() - start, len(settings[0].ids)
    return [
        Result(one.tally.outcome(), images, one.seconds + seconds, settings=len(settings))
        for one in counting
    ]


def tally_of(setting: Setting, queries: Queries) -> Accumulator:
    """What counts the setting's images: by the kind of truth that its first sample has."""
    card, truth = setting.dataset.card, setting.dataset[setting.ids[0]].truth
    if isinstance(truth, Points):
        return PointAccumulator(card, queries)
    if isinstance(truth, Image.Image):
        raise ValueError(f"{card.name} has no truth to evaluate: its images can be labelled")  # noqa: TRY004
    return MaskAccumulator(setting.protocol, card, queries)


def try_first(setting: Setting) -> None:
    """Count the first sample alone, and forget it. Raises what it raises."""
    first = setting.ids[0]
    tally = tally_of(setting, embed_text(setting))
    for batch, views in look([setting], skip=set(setting.ids) - {first}):
        tally.update(views[setting.method][0], batch[0].truth, ImageCache())


def look(
    settings: Sequence[Setting], skip: AbstractSet[str] = frozenset()
) -> Iterator[tuple[list[Prepared], dict[Method, list[View]]]]:
    """Batches of samples but those to ``skip``, and what each method of the settings sees."""
    setting = settings[0]
    if any(shared(other) != shared(setting) for other in settings):
        raise ValueError("settings of one pass need the same backbone, data set, size and windows")
    methods = list(dict.fromkeys(other.method for other in settings))
    segmenter = segmenter_of(setting)

    def prepare(sample_id: str) -> Prepared:
        sample = setting.dataset[sample_id]
        return Prepared(sample.id, segmenter.prepare(sample.image), sample.truth)

    ids = [sample_id for sample_id in setting.ids if sample_id not in skip]
    ahead = read_ahead(ids, prepare, workers=setting.workers)
    for batch in bucket(ahead, setting.batch_size):
        images = torch.stack([item.pixels for item in batch])
        if setting.backbone.torch_device.type == "cuda":
            images = images.pin_memory()
        try:
            views = segmenter.see_with(methods, images)
        except torch.OutOfMemoryError as error:
            shape = "x".join(map(str, images.shape[2:]))
            raise ValueError(
                f"batch_size={setting.batch_size}: the device has too little memory for a batch of "
                f"{len(images)} images of {shape}; give a smaller one"
            ) from error
        yield batch, dict(zip(methods, views, strict=True))


def segmenter_of(setting: Setting) -> Segmenter:
    """The setting's backbone and method, with the geometry of its protocol."""
    protocol = setting.protocol
    return Segmenter(setting.backbone, setting.method, protocol.resize, protocol.windows)


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
