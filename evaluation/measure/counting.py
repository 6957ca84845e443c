"""What counts the settings of a pass, and the samples that it has counted.

Shapes: w words, e embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evaluation.measure.batches import Chunk, Prepared, Reading, encode_batches
from evaluation.measure.finite import CheckedImage
from evaluation.measure.text_cache import embed_text, text_digest
from evaluation.metrics.accumulator import Accumulator, count_together
from evaluation.setting import Setting
from gem.vocabulary import Queries

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

Texts = Mapping[Hashable, "Float[Tensor, 'w e']"]
"""Embeddings of the words of settings, by `words_of`."""

Watch = Callable[[Setting, Queries, CheckedImage, Prepared], None]
"""Is shown what the segmenter of a setting made of each sample, before the sample is done.

It calls `CheckedImage.check` before it writes anything.
"""


@dataclass
class Counting:
    """One setting on its way: what counts it, the samples that are counted, earlier seconds.

    text: the hash of the embeddings of its words, `text_digest`. device: the type of the one that
    it is computed on, ``cpu`` or ``cuda``. elsewhere: samples that another process has counted.
    """

    setting: Setting
    queries: Queries
    accumulator: Accumulator
    text: str
    device: str
    done: set[str] = field(default_factory=set)
    elsewhere: AbstractSet[str] = frozenset()
    seconds: float = 0.0

    def waits_for(self, sample_id: str) -> bool:
        """Whether nobody has counted a sample."""
        return sample_id not in self.done and sample_id not in self.elsewhere

    def take(self) -> dict[str, Tensor]:
        """What was counted since the last time, on the CPU; it counts from nothing again."""
        state = {name: part.cpu() for name, part in self.accumulator.state().items()}
        self.accumulator = self.setting.metric.accumulator(self.setting, self.queries)
        return state


def words_of(setting: Setting) -> Hashable:
    """Settings of one pass with equal keys ask with equal embeddings."""
    return (setting.segmenter.text_key, setting.class_vocabulary, setting.prompts)


def embed_all(settings: Sequence[Setting]) -> dict[Hashable, Float[Tensor, "w e"]]:
    """The embeddings of all words, equal ones once. Raises what `embed_text` raises."""
    found: dict[Hashable, Float[Tensor, "w e"]] = {}
    for setting in settings:
        key = words_of(setting)
        if key not in found:
            found[key] = embed_text(setting).text
    return found


def texts_of(counting: Sequence[Counting]) -> dict[Hashable, Float[Tensor, "w e"]]:
    """The embeddings that settings ask with, on the CPU."""
    return {words_of(one.setting): one.queries.text.cpu() for one in counting}


def start_counting(settings: Sequence[Setting], texts: Texts | None = None) -> list[Counting]:
    """What counts each setting; equal words stay one object.

    texts: of all settings, unless they are to be embedded here.
    """
    known = embed_all(settings) if texts is None else texts
    digests = {key: text_digest(text) for key, text in known.items()}
    asked: dict[Hashable, Queries] = {}
    found = []
    for setting in settings:
        key, device = words_of(setting), setting.segmenter.device
        if key not in asked:
            asked[key] = setting.class_vocabulary.with_text(known[key].to(device))
        accumulator = setting.metric.accumulator(setting, asked[key])
        found.append(Counting(setting, asked[key], accumulator, digests[key], device.type))
    return found


def start_adding(settings: Sequence[Setting], texts: Texts, device: str) -> list[Counting]:
    """What adds up on the CPU what others count on a ``device``; no model is loaded for it."""
    found = []
    for setting in settings:
        text = texts[words_of(setting)]
        queries = setting.class_vocabulary.with_text(text)
        accumulator = setting.metric.accumulator(setting, queries)
        found.append(Counting(setting, queries, accumulator, text_digest(text), device))
    return found


def count_chunks(
    counting: Sequence[Counting],
    chunks: Sequence[Chunk],
    watch: Watch | None = None,
    reading: Reading | None = None,
) -> Iterator[tuple[str, ...]]:
    """Count samples in all settings that have not; the ids of each batch once it is counted.

    A GPU is waited for once a batch, when everything of it was asked for. Raises ValueError if the
    settings cannot share a pass, and NotFiniteError at the first sample whose scores are not
    finite.
    """
    settings = [one.setting for one in counting]
    for batch, encoded in encode_batches(settings, chunks, reading):
        seen = [
            (item, image, [one for one in counting if one.setting.segmenter == segmenter])
            for segmenter, images in encoded.items()
            for item, image in zip(batch, images, strict=True)
        ]
        for item, image, mine in seen:
            waiting = [one.accumulator for one in mine if one.waits_for(item.id)]
            count_together(waiting, image, item.truth)
        for item, image, mine in seen:
            _finish([one for one in mine if one.waits_for(item.id)], item, image, watch)
        yield tuple(item.id for item in batch)


def _finish(
    counting: Sequence[Counting], item: Prepared, image: CheckedImage, watch: Watch | None
) -> None:
    """Note that a sample is counted, if its scores were finite."""
    image.check()
    for one in counting:
        if watch:
            watch(one.setting, one.queries, image, item)
        one.done.add(item.id)


def try_first(setting: Setting) -> None:
    """Count the first sample alone, and forget it. Raises what it raises."""
    for _ in count_chunks(start_counting([setting]), [setting.ids[:1]]):
        pass
