"""What a data set gives: images with their truth, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool, Float64, Int64
    from PIL import Image

    from evaluation.data.card import Card


@dataclass(frozen=True)
class Points:
    """What is known of single points of an image, each about one class.

    x, y: in [0, 1] of the image's width and height. label: index into the card's classes.
    positive: whether the point is on the class. size: (height, width) of the image in pixels.
    number: identifies the image among those of its data set.
    """

    x: Float64[np.ndarray, " n"]
    y: Float64[np.ndarray, " n"]
    label: Int64[np.ndarray, " n"]
    positive: Bool[np.ndarray, " n"]
    size: tuple[int, int]
    number: int


@dataclass(frozen=True)
class Sample:
    """One image with its truth.

    truth: a label per pixel of the original image (integers [y, x], 255 where void), or `Points`.
    """

    id: str
    image: Image.Image
    truth: Any


def truth_size(truth: Any) -> tuple[int, int]:
    """Height and width of the image that a truth, a mask or points, belongs to."""
    height, width = truth.size if isinstance(truth, Points) else truth.shape
    return int(height), int(width)


class Dataset(Protocol):
    """An ordered collection of samples, and the card that names its classes.

    Building one touches no files. `check` and indexing do; they raise ValueError or
    FileNotFoundError with a sentence that names the file.
    """

    @property
    def card(self) -> Card:
        """Names of the classes, and whether label 0 is a background."""

    @property
    def ids(self) -> Sequence[str]:
        """Names of the samples, in order."""

    def check(self, ids: Sequence[str]) -> None:
        """See that these samples are there, before any time is spent on them."""

    def __getitem__(self, sample_id: str) -> Sample:
        """Read one sample."""
