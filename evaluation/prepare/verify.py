"""Reading every pair once: do they match, are the labels in range, how many pixels has a class."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from evaluation.data.card import VOID
from evaluation.data.sample import Dataset, Sample

SHOWN = 3


@dataclass
class Census:
    """What the truth of a data set holds, in integers.

    pixels, appears: pixels and images by label, 256 of each, label 255 being void.
    digest: over ids, sizes and labels, so that two people can compare their ground truth whatever
    files they made it of.
    """

    images: int = 0
    pixels: list[int] = field(default_factory=lambda: [0] * 256)
    appears: list[int] = field(default_factory=lambda: [0] * 256)
    smallest: tuple[int, int] | None = None
    largest: tuple[int, int] | None = None
    digest: str = ""


def take_census(dataset: Dataset, advance: Callable[[int], None] = lambda _: None) -> Census:
    """Read all samples. Raises ValueError with the number of broken ones and the first few."""
    census, broken, seen = Census(), [], hashlib.sha256()
    for sample_id in dataset.ids:
        try:
            sample = dataset[sample_id]
        except (ValueError, OSError) as error:
            broken.append(str(error))
        else:
            _count(census, sample)
            seen.update(f"{sample.id} {sample.truth.shape}\n".encode())
            seen.update(np.ascontiguousarray(sample.truth, dtype=np.uint8).tobytes())
        advance(1)
    if broken:
        first = "; ".join(broken[:SHOWN])
        raise ValueError(f"{len(broken)} of {len(dataset.ids)} samples are broken: {first}")
    census.digest = seen.hexdigest()
    return census


def _count(census: Census, sample: Sample) -> None:
    counts = np.bincount(sample.truth.ravel(), minlength=VOID + 1)
    for label in np.flatnonzero(counts):
        census.pixels[label] += int(counts[label])
        census.appears[label] += 1
    size = (sample.truth.shape[0], sample.truth.shape[1])
    census.images += 1
    area = size[0] * size[1]
    if census.smallest is None or area < census.smallest[0] * census.smallest[1]:
        census.smallest = size
    if census.largest is None or area > census.largest[0] * census.largest[1]:
        census.largest = size
