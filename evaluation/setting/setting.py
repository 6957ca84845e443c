"""One setting: everything that a number depends on, as typed objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import Field, SkipValidation, Strict

from evaluation.data import Dataset, Words
from evaluation.setting.protocol import EvalProtocol
from gem.options import PositiveInt, options
from gem.segmenter import Segmenter
from gem.vocabulary import Prompts, Vocabulary

if TYPE_CHECKING:
    from evaluation.metrics.accumulator import Accumulator
    from gem.vocabulary import Queries


class Metric(Protocol):
    """Makes what counts the images of a setting. Building one touches no files and no torch."""

    def accumulator(self, setting: Setting, queries: Queries) -> Accumulator:
        """A new accumulator, with nothing counted. Raises ValueError for data without truth."""


@options
class Setting:
    """What is evaluated, on what, and how.

    metric: which numbers are computed, `evaluation.measure.ByTask` unless configured otherwise.
    batch_size: images a forward pass, up to 1024; changes the speed, not the result.
    workers: threads that read and resize ahead of the model, up to 256; changes the speed, not the
        result.
    limit: take the first n samples only; null takes all.
    """

    segmenter: SkipValidation[Segmenter]  # interfaces: to check one would read its properties
    dataset: SkipValidation[Dataset]
    protocol: EvalProtocol
    prompts: Prompts
    metric: SkipValidation[Metric]
    vocabulary: Words = Words()
    batch_size: Annotated[int, Strict(), Field(ge=1, le=1024)] = 8
    workers: Annotated[int, Strict(), Field(ge=0, le=256)] = 2
    limit: PositiveInt | None = None

    @property
    def class_vocabulary(self) -> Vocabulary:
        """The words that are asked for the classes of the data set.

        Raises ValueError if a user's own words are the same for two classes: where classes compete
        for a pixel only the first could be found. Families are taken as published (SCLIP's
        background of COCO-Object has the word of a class).
        """
        card, found = self.dataset.card, self.vocabulary.of(self.dataset.card)
        if card.task == "points":  # each class is asked for by itself
            return found
        if self.vocabulary.words and found.clashes:
            raise ValueError(f"vocabulary.words: {found.clashes[0]}: only the first could be found")
        return found

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples that are evaluated."""
        return tuple(self.dataset.ids[: self.limit])

    @property
    def pass_key(self) -> tuple[object, ...]:
        """Settings with equal keys can share one pass over the data."""
        protocol = self.protocol
        geometry = (protocol.resize, protocol.windows)
        return (self.segmenter.pass_key, self.dataset, *geometry, self.limit)
