"""Settings over one data set: images in, integer counts out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from evaluation.measure.batches import Prepared, encode_batches
from evaluation.measure.finite import CheckedImage
from evaluation.measure.memory import Peak, PeakMeter
from evaluation.measure.text_cache import embed_text, text_digest
from evaluation.metrics.accumulator import Accumulator, Outcome, count_together
from evaluation.setting import Setting
from gem.vocabulary import Queries

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Result:
    """What one pass over a data set gives; ``settings`` shared the pass and its seconds.

    ``text`` is the hash of the embeddings of the words, `text_digest`.
    """

    outcome: Outcome
    images: int
    seconds: float
    settings: int
    peak: Peak
    text: str


@dataclass
class Counting:
    """One setting on its way: what counts it, the samples that are counted, earlier seconds."""

    setting: Setting
    queries: Queries
    accumulator: Accumulator
    done: set[str] = field(default_factory=set)
    seconds: float = 0.0


class Checkpoint(Protocol):
    """Keeps the counts of a long pass, so that whoever is killed goes on."""

    def restore(self, counting: Sequence[Counting]) -> int:
        """Fill what is counted from what was kept; how many samples all settings have done."""

    def save_if_due(self, counting: Sequence[Counting]) -> None:
        """Keep the counts if the last time is long ago. Called between batches."""


Watch = Callable[[Setting, Queries, CheckedImage, Prepared], None]
"""Is shown what the segmenter of a setting made of each sample, before the sample is done.

It calls `CheckedImage.check` before it writes anything.
"""


def evaluate(setting: Setting, advance: Advance = lambda _: None) -> Result:
    """Evaluate a setting; ``advance`` is called with the number of images of each batch done.

    Neither the batch size, the workers nor the order of the samples changes the counts. Raises
    what the data set and the segmenter raise.
    """
    (result,) = evaluate_all([setting], advance)
    return result


def evaluate_all(
    settings: Sequence[Setting],
    advance: Advance = lambda _: None,
    *,
    checkpoint: Checkpoint | None = None,
    watch: Watch | None = None,
) -> list[Result]:
    """Evaluate several settings in one pass over the data, each as if it were alone.

    They may differ in what shares a pass (methods on one trace), in words and prompts, in the
    decision and the metric; the seconds are those of the whole pass. ``checkpoint`` is gone on
    from and written on the way. Raises ValueError if the settings cannot share a pass, and
    NotFiniteError at the first sample whose scores are not finite.
    """
    meter = PeakMeter(settings[0].segmenter.device)
    counting = start_counting(settings)
    if checkpoint and (done := checkpoint.restore(counting)):
        advance(done)
    start = time.perf_counter()
    for batch, encoded in encode_batches(
        settings, skip=set.intersection(*(one.done for one in counting))
    ):
        for segmenter, images in encoded.items():
            mine = [one for one in counting if one.setting.segmenter == segmenter]
            for item, image in zip(batch, images, strict=True):
                _count(mine, item, image, watch)
        if checkpoint:
            checkpoint.save_if_due(counting)
        advance(len(batch))
    seconds, count = time.perf_counter() - start, len(settings[0].ids)
    peak = meter.peak()
    return [
        Result(
            outcome=one.accumulator.outcome(),
            images=count,
            seconds=one.seconds + seconds,
            settings=len(settings),
            peak=peak,
            text=text_digest(one.queries.text),
        )
        for one in counting
    ]


def start_counting(settings: Sequence[Setting]) -> list[Counting]:
    """What counts each setting; equal words are embedded once and stay one object."""
    embedded: dict[object, Queries] = {}
    found = []
    for setting in settings:
        key = (setting.segmenter.text_key, setting.class_vocabulary, setting.prompts)
        if key not in embedded:
            embedded[key] = embed_text(setting)
        accumulator = setting.metric.accumulator(setting, embedded[key])
        found.append(Counting(setting, embedded[key], accumulator))
    return found


def _count(
    counting: Sequence[Counting], item: Prepared, image: CheckedImage, watch: Watch | None
) -> None:
    """Count one image in all settings that have not, and say that they have.

    To count waits for the device, so that the check after it does not.
    """
    waiting = [one for one in counting if item.id not in one.done]
    count_together([one.accumulator for one in waiting], image, item.truth)
    image.check()
    for one in waiting:
        if watch:
            watch(one.setting, one.queries, image, item)
        one.done.add(item.id)


def try_first(setting: Setting) -> None:
    """Count the first sample alone, and forget it. Raises what it raises."""
    counting, first = start_counting([setting]), setting.ids[0]
    for batch, encoded in encode_batches([setting], skip=set(setting.ids) - {first}):
        _count(counting, batch[0], encoded[setting.segmenter][0], watch=None)
