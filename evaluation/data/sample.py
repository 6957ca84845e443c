"""What a data set gives: images with their truth, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Integer
    from PIL import Image

    from evaluation.data.card import Card


@dataclass(frozen=True)
class Sample:
    """One image with its truth: a label per pixel of the original image, 255 where void."""

    id: str
    image: Image.Image
    truth: Integer[np.ndarray, "y x"]


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
