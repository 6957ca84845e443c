"""Scores that are not finite: said before anything that lasts is made of them.

Every image that a segmenter encodes is wrapped in a `CheckedImage`. Whoever asked it for scores
calls `CheckedImage.check` before a count is kept or a file written.

Shapes: y x pixels, w words, u v rows and columns of a map.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from evaluation.setting.sharing import bare
from gem.segmenter import LARGEST, EncodedImage, Segmenter, in_range
from gem.vocabulary import Queries


class NotFiniteError(ValueError):
    """The scores of one segmenter are not finite; others of the pass may well be good."""

    def __init__(self, segmenter: Segmenter, sample_id: str) -> None:
        name = f"{segmenter.title} {segmenter.variant}".strip()
        super().__init__(
            f"sample {sample_id}: {name} gives scores that are not finite (nan, infinite or beyond "
            f"{LARGEST:g})"
        )
        self.segmenter, self.sample_id = segmenter, sample_id

    def __reduce__(self) -> tuple[type[NotFiniteError], tuple[Segmenter, str]]:
        """From one process to another, without the model."""
        return type(self), (bare(self.segmenter), self.sample_id)


class Flag:
    """Yes or no, computed on a device that need not be waited for.

    A GPU copies the answer when it gets there. To read it waits for that copy alone, and not for
    what the GPU was asked to do since.
    """

    def __init__(self, answer: Bool[Tensor, ""]) -> None:
        self._answer = answer.to("cpu", non_blocking=True)
        self._copied = None
        if answer.is_cuda:
            self._copied = torch.cuda.current_stream(answer.device).record_event()

    def __bool__(self) -> bool:
        if self._copied:
            self._copied.synchronize()
        return bool(self._answer)


@dataclass(frozen=True, eq=False)
class CheckedImage:
    """An `gem.segmenter.EncodedImage` of ``segmenter`` that remembers how its scores were."""

    image: EncodedImage
    segmenter: Segmenter
    sample_id: str
    _flags: list[Flag] = field(default_factory=list)

    @property
    def labels(self) -> Int[Tensor, "y x"] | None:
        """Those of the image."""
        return self.image.labels

    @property
    def pixels(self) -> Float[Tensor, "3 y x"] | None:
        """Those of the image."""
        return self.image.pixels

    def scores(self, queries: Queries) -> Float[Tensor, "w u v"]:
        """Those of the image; `check` says whether they can be used."""
        maps = self.image.scores(queries)
        self._flags.append(Flag(in_range(maps)))
        return maps

    def nothing(self, queries: Queries) -> Float[Tensor, "u v"] | None:
        """That of the image."""
        found = self.image.nothing(queries)
        if found is not None:
            self._flags.append(Flag(in_range(found)))
        return found

    def check(self) -> None:
        """Raise NotFiniteError if scores that were asked for so far are not finite."""
        if not all(self._flags):
            raise NotFiniteError(self.segmenter, self.sample_id)
