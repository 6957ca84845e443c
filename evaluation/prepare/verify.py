"""Reading every sample once: do files match, are labels in range, how many pixels has a class."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.data.card import VOID
from evaluation.data.sample import Dataset, Points, Sample

if TYPE_CHECKING:
    from jaxtyping import Int64

SHOWN = 3


@dataclass
class Census:
    """What the truth of a data set holds, in integers.

    pixels, appears: pixels and images by label, the last entry for void; of points, those that say
    yes, the last entry for no. rest: what the last entry is called.
    digest: over ids, sizes and labels, so that two people can compare their ground truth whatever
    files they made it of.
    """

    pixels: Int64[np.ndarray, " labels+1"]
    appears: Int64[np.ndarray, " labels+1"]
    rest: str
    images: int = 0
    smallest: tuple[int, ...] = ()
    largest: tuple[int, ...] = ()
    digest: str = ""


def take_census(dataset: Dataset, advance: Callable[[int], None] = lambda _: None) -> Census:
    """Read all samples. Raises ValueError with the number of broken ones and the first few."""
    entries = len(dataset.card.labels) + 1
    rest = "(no)" if dataset.card.task == "points" else "(void)"
    pixels, appears = np.zeros((2, entries), dtype=np.int64)
    census = Census(pixels, appears, rest)
    broken, seen = [], hashlib.sha256()
    for sample_id in dataset.ids:
        try:
            sample = dataset[sample_id]
        except (ValueError, OSError) as error:
            broken.append(str(error))
        else:
            _count(census, sample)
            seen.update(f"{sample.id} {_size(sample)}\n".encode())
            seen.update(_content(sample.truth))
        advance(1)
    if broken:
        first = "; ".join(broken[:SHOWN])
        raise ValueError(f"{len(broken)} of {len(dataset.ids)} samples are broken: {first}")
    census.digest = seen.hexdigest()
    return census


def _count(census: Census, sample: Sample) -> None:
    last = len(census.pixels) - 1
    if isinstance(sample.truth, Points):
        labels = np.where(sample.truth.positive, sample.truth.label, last)
    else:
        labels = np.where(sample.truth == VOID, last, sample.truth).ravel()
    counts = np.bincount(labels, minlength=last + 1)
    census.pixels += counts
    census.appears += counts > 0
    census.images += 1
    size = _size(sample)
    census.smallest = min(census.smallest or size, size, key=np.prod)
    census.largest = max(census.largest or size, size, key=np.prod)


def _size(sample: Sample) -> tuple[int, int]:
    return sample.image.height, sample.image.width


def _content(truth: Any) -> bytes:
    """The truth as bytes, whatever integers it is kept in."""
    if isinstance(truth, Points):
        columns = (truth.x, truth.y, truth.label, truth.positive)
        return b"".join(np.ascontiguousarray(c, dtype=np.float64).tobytes() for c in columns)
    return np.ascontiguousarray(truth, dtype=np.uint8).tobytes()
