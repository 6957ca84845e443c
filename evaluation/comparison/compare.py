"""Two records side by side: scores, classes, images, and the significance of the differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation.comparison.bootstrap import DRAWS, Significance, bootstrap
from evaluation.comparison.parts import image_values, parts_of
from evaluation.records.image_counts import ImageCounts
from evaluation.records.record import Record
from evaluation.setting.identity import deciding


@dataclass(frozen=True)
class Pair:
    """What two records say of the same thing, as shares in [0, 1]; None where one says nothing."""

    name: str
    first: float | None
    second: float | None

    @property
    def difference(self) -> float | None:
        """Second minus first."""
        return None if self.first is None or self.second is None else self.second - self.first


@dataclass(frozen=True)
class Comparison:
    """Two records of the same images.

    scores: those with a column in tables, by their titles. classes: the largest differences first.
    images: the largest gain first and the largest loss last; empty without counts by image.
    significance: of the scores, by title.
    """

    scores: Sequence[Pair]
    classes: Sequence[Pair]
    images: Sequence[Pair] = ()
    significance: Mapping[str, Significance] = field(default_factory=dict)


def compare(
    first: Record,
    second: Record,
    counts: tuple[ImageCounts, ImageCounts] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Compare two records; with their counts by image also images, and test the differences.

    Raises ValueError for records of other data, samples, words or metrics.
    """
    check_comparable(first, second)
    titles = {name: title for name, title in first.titles.items() if name in second.titles}
    scores = [Pair(titles[name], first.scores[name], second.scores[name]) for name in titles]
    classes = [Pair(name, share, second.per_class[name]) for name, share in first.per_class.items()]
    classes.sort(key=lambda one: -abs(one.difference or 0.0))
    if counts is None:
        return Comparison(scores, classes)
    pairs = {}
    for name, title in titles.items():
        one, other = (parts_of(found, name) for found in counts)
        if one is not None and other is not None:
            pairs[title] = (one, other)
    found = bootstrap(pairs, draws=draws, seed=seed)
    return Comparison(scores, classes, _images(*counts), found)


def check_comparable(first: Record, second: Record) -> None:
    """Raise ValueError, which says in what, if two records are not of the same question.

    The templates of prompts may differ, and so may the protocol: they are part of the answer.
    """
    names = [one.names["dataset"] for one in (first, second)]
    counts = [f"{one.images} images" for one in (first, second)]
    for what, values, shown in (
        ("data sets", names, names),
        ("samples", [one.hashes.get("samples") for one in (first, second)], counts),
        ("data", [one.hashes.get("data") for one in (first, second)], ()),
        ("classes", [list(one.per_class) for one in (first, second)], ()),
        ("words", _words(first, second), ()),
        ("metrics", [deciding(one.setting["metric"]) for one in (first, second)], ()),
    ):
        if values[0] != values[1]:
            said = f" ({' and '.join(shown)})" if shown else ""
            raise ValueError(
                f"{first.key} and {second.key} cannot be compared: they are of other {what}{said}"
            )


def _words(first: Record, second: Record) -> list[Any]:
    """What says whether two records ask with the same words: a hash knows the templates too."""
    both = (first, second)
    templates = [deciding(one.setting["prompts"]) for one in both]
    if templates[0] == templates[1]:
        return [one.hashes.get("vocabulary") for one in both]
    return [deciding(one.setting.get("vocabulary")) for one in both]


def _images(first: ImageCounts, second: ImageCounts) -> list[Pair]:
    """Images by their difference; those without truth, or without a number in one, are left out."""
    values = zip(
        first.ids, image_values(first).tolist(), image_values(second).tolist(), strict=True
    )
    found = [Pair(name, one, other) for name, one, other in values if _are_numbers(one, other)]
    return sorted(found, key=lambda one: -(one.difference or 0.0))


def _are_numbers(*values: float) -> bool:
    return not any(map(math.isnan, values))
