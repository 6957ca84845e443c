"""One setting: everything that a number depends on, as typed objects."""

from __future__ import annotations

from pydantic import SkipValidation

from evaluation.data import Dataset, Words
from evaluation.setting.protocol import EvalProtocol
from gem.backbones import Backbone
from gem.methods import Method
from gem.options import Count, PositiveInt, options
from gem.vocabulary import Prompts, Vocabulary


@options
class Setting:
    """What is evaluated, on what, and how.

    batch_size: images a forward pass; changes the speed, not the result.
    workers: threads that read and resize ahead of the model; changes the speed, not the result.
    limit: take the first n samples only; null takes all.
    """

    backbone: SkipValidation[Backbone]  # an interface: to check one would read its properties
    method: SkipValidation[Method]
    dataset: SkipValidation[Dataset]
    protocol: EvalProtocol
    prompts: Prompts
    vocabulary: Words = Words()
    batch_size: PositiveInt = 8
    workers: Count = 2
    limit: PositiveInt | None = None

    @property
    def asked(self) -> Vocabulary:
        """The words that are asked for the classes of the data set."""
        return self.vocabulary.of(self.dataset.card)

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples that are evaluated."""
        return tuple(self.dataset.ids[: self.limit])
