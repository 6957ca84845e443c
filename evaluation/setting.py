"""One setting: everything that a number depends on, as typed objects."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from pydantic import SkipValidation

from evaluation.data import Dataset, Words
from evaluation.protocol import Protocol
from gem.backbones import Backbone
from gem.methods import Method
from gem.options import Count, PositiveInt, options
from gem.vocabulary import Prompts, Vocabulary

# What says where and how fast a number was computed, but not which number. The weights count by
# the hash of their file, which the record holds, and not by its path.
INCIDENTAL = {"root", "device", "batch_size", "workers", "weights", "tuned", "missing"}


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
    protocol: Protocol
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


def describe(value: object) -> Any:
    """An options object as plain data, with ``_target_`` for its class: the resolved config.

    Whatever built the object, run.py or Python, the same object gives the same description.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: describe(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
        return {"_target_": f"{type(value).__module__}.{type(value).__qualname__}", **fields}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    return value


def identity(description: Any) -> Any:
    """The part of a description that decides the numbers."""
    if isinstance(description, dict):
        left_out = INCIDENTAL if "_target_" in description else set()  # fields of objects only
        return {key: identity(item) for key, item in description.items() if key not in left_out}
    if isinstance(description, list):
        return [identity(item) for item in description]
    return description


def fingerprint(value: object) -> str:
    """Twelve hexadecimal digits for the content of plain data or of an options object."""
    text = json.dumps(identity(describe(value)), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
