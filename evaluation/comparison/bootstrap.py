"""Is a difference of two scores more than the choice of the images? The paired bootstrap.

Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), Ch. 13 (percentile interval) and
Ch. 15: the images of the data set are drawn anew, with replacement and the same for both records,
and the scores are computed again from the counts of the images that were drawn.

Shapes: n images, g groups, d draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluation.comparison.parts import scores_of

if TYPE_CHECKING:
    from jaxtyping import Float64

    from evaluation.comparison.parts import Parts

DRAWS = 10_000
LEVEL = 0.95
ROOM = 2**22  # weights that stand in memory at once


@dataclass(frozen=True)
class Significance:
    """How far a difference of two shares may be due to the images.

    low, high: the 95 % percentile interval of the difference. p: two-sided; twice the smaller
    share of draws whose difference is not above, or not below, 0, with one draw added to each, so
    that it is never 0 (Davison and Hinkley 1997, Sec. 4.2); at most 1.
    """

    low: float
    high: float
    p: float


def bootstrap(
    pairs: Mapping[str, tuple[Parts, Parts]], *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Significance]:
    """What of the difference, second minus first, is more than the choice of the images.

    pairs: of each score the parts of two records, of the same images in the same order. All scores
    are computed on the same draws. A score without a draw in which both are defined is left out.
    """
    found: dict[str, list[Float64[np.ndarray, " d"]]] = {name: [] for name in pairs}
    images = min((len(first) for first, _ in pairs.values()), default=0)
    for weights in _weights(images, draws, np.random.default_rng(seed)) if images else ():
        for name, (first, second) in pairs.items():
            found[name].append(scores_of(weights, second) - scores_of(weights, first))
    joined = {name: np.concatenate(some) for name, some in found.items() if some}
    defined = {name: one[np.isfinite(one)] for name, one in joined.items()}
    return {name: significance(one) for name, one in defined.items() if len(one)}


def significance(differences: Float64[np.ndarray, " d"]) -> Significance:
    """Interval and p of the differences that the draws gave."""
    low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    sides = (int((differences <= 0).sum()), int((differences >= 0).sum()))
    p = 2 * (1 + min(sides)) / (1 + len(differences))
    return Significance(float(low), float(high), min(1.0, p))


def _weights(
    images: int, draws: int, rng: np.random.Generator
) -> Iterator[Float64[np.ndarray, "d n"]]:
    """How often each image was drawn, for all draws, some at a time."""
    step = max(ROOM // images, 1)
    for first in range(0, draws, step):
        some = min(step, draws - first)
        drawn = rng.integers(images, size=(some, images))
        flat = (drawn + images * np.arange(some)[:, None]).ravel()
        yield np.bincount(flat, minlength=some * images).reshape(some, images).astype(float)
