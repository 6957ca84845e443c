"""What counts the images of one setting.

Shapes: w words, u v rows and columns of a map.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import Tensor

from evaluation.metrics.score import Score
from gem.segmenter import EncodedImage

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What a pass over the data leaves: scores, and the integers that they come from.

    scores: the headline first. per_class: the headline's part by class, None where a class did
    not occur. counts: nested lists by name, from which scores can be computed again (of points,
    those that sum over a class).
    """

    scores: tuple[Score, ...]
    per_class: dict[str, float | None]
    counts: dict[str, list[Any]]


class ImageCache:
    """Results that settings share about one image: the last result of each function.

    Arguments are compared by identity if they are tensors, else by value. To be dropped with the
    image.
    """

    def __init__(self) -> None:
        self._held: dict[object, tuple[tuple[object, ...], Any]] = {}

    def __call__(self, compute: Callable[..., T], *given: object) -> T:
        """``compute(*given)``, or what it gave for the same arguments before."""
        known = self._held.get(compute)
        if known is None or not all(map(_same, known[0], given)):
            known = self._held[compute] = (given, compute(*given))
        found: T = known[1]
        return found


def _same(one: object, other: object) -> bool:
    plain = (tuple, slice)
    return one is other or (isinstance(one, plain) and isinstance(other, plain) and one == other)


@runtime_checkable
class Accumulator(Protocol):
    """Counts what a segmenter made of each image against its truth."""

    def count(self, image: EncodedImage, truth: Any, cache: ImageCache) -> Iterator[None]:
        """Count one image in steps, one for each band of its rows.

        Nothing is counted before the iterator is used. Between two steps other accumulators may
        take their turn with the same band, so that they share its upsampled maps.
        """

    def outcome(self) -> Outcome:
        """What has been counted so far."""

    def state(self) -> dict[str, Tensor]:
        """The integers that have been counted so far, by name."""

    def add(self, state: Mapping[str, Tensor]) -> None:
        """Count what another accumulator of the same setting has counted: its `state`.

        In whatever order states are added, the outcome is the same.
        """


def count_together(accumulators: Sequence[Accumulator], image: EncodedImage, truth: Any) -> None:
    """Count one image with several accumulators, which take turns band by band."""
    cache = ImageCache()
    for _ in zip_longest(*(one.count(image, truth, cache) for one in accumulators)):
        pass
