"""Thresholds, logit scales and temperatures, searched in one pass over samples for that purpose.

Shapes: w words, c classes, k labels, i thresholds, u v rows and columns of a map, y x pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64, Integer
from torch import Tensor

from evaluation.data import VOID, Card
from evaluation.measure.evaluate import Advance, evaluate_all, tally_of
from evaluation.measure.mask_accumulator import (
    Accumulator,
    ImageCache,
    Outcome,
    bands,
    check_queries,
    min_max_at,
)
from evaluation.metrics import scores
from evaluation.records.record import changed_options
from evaluation.setting import EvalProtocol, Setting
from gem.image import upsample
from gem.methods import Gem
from gem.segmenter import View
from gem.vocabulary import Queries

THRESHOLDS = tuple(round(step / 100, 2) for step in range(100))


class ThresholdAccumulator:
    """Counts pixels by truth, best class and certainty: the mIoU of every threshold, exactly.

    The matrix of a threshold is the one that `MaskAccumulator` would count with it.
    """

    def __init__(self, rules: EvalProtocol, card: Card, queries: Queries) -> None:
        check_queries(card, queries)
        self.rules, self.card, self.queries = rules, card, queries
        shape = (len(card.labels), queries.classes, len(THRESHOLDS) + 1)
        self.counts = torch.zeros(shape, dtype=torch.int64, device=queries.text.device)

    def update(self, view: View, truth: Integer[np.ndarray, "y x"], once: ImageCache) -> None:
        """Count one image, in bands of rows where it is large."""
        cosines = once(View.cosines, view, self.queries.text)
        mask = torch.from_numpy(truth.astype("int64")).to(cosines.device)
        size = (mask.shape[0], mask.shape[1])
        scaled = once(min_max_at, cosines, size) if self.rules.min_max else cosines
        limits = torch.tensor(THRESHOLDS, device=cosines.device)
        for rows in bands(size, len(cosines)):
            best, certainty = self.rules.answer(once(upsample, scaled, size, rows), self.queries)
            passed = torch.bucketize(certainty, limits, right=True)  # thresholds <= certainty
            valid = mask[rows] != VOID
            classes, steps = self.counts.shape[1:]
            place = (mask[rows][valid] * classes + best[valid]) * steps + passed[valid]
            found = torch.bincount(place, minlength=self.counts.numel())
            self.counts += found.reshape(self.counts.shape)

    def matrices(self) -> Int64[Tensor, "i k k"]:
        """The confusion matrix of each of `THRESHOLDS`."""
        below = self.counts.cumsum(dim=2)[:, :, :-1]  # of pixels under the i-th threshold
        above = self.counts.sum(dim=2, keepdim=True) - below
        labels, first = len(self.card.labels), int(not self.queries.background)
        found = self.counts.new_zeros(len(THRESHOLDS), labels, labels)
        found[:, :, first:] += above.permute(2, 0, 1)
        found[:, :, 0] += below.sum(dim=1).T
        return found.cpu()

    def state(self) -> dict[str, Tensor]:
        """The counts."""
        return {"counts": self.counts}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from counts."""
        self.counts = state["counts"].to(self.counts)

    def outcome(self) -> Outcome:
        """The best threshold's mIoU, and the curve."""
        curve = [scores(matrix).miou for matrix in self.matrices()]
        best = max(range(len(curve)), key=curve.__getitem__)
        found = {"miou": curve[best], "background": THRESHOLDS[best]}
        return Outcome(scores=found, per_class={}, counts={"curve": curve})


@dataclass(frozen=True)
class Trial:
    """One point of the search: what was set, the best threshold with it, and its whole curve.

    ``background`` and ``curve`` (mIoU at each of `THRESHOLDS`) are None for a data set without a
    background class. ``options`` are those of the method that are not its defaults.
    """

    options: str
    temperature_scale: float | None
    logit_scale: float
    background: float | None
    miou: float
    curve: list[Any] | None


def search(
    setting: Setting,
    *,
    logit_scales: Sequence[float],
    temperature_scales: Sequence[float],
    advance: Advance = lambda _: None,
) -> list[Trial]:
    """Every combination of the scales, with all thresholds, in one pass; the best trial first.

    Temperature scales multiply 1/tau and are of GEM. Raises ValueError if given for another method.
    """
    scales = logit_scales or (setting.protocol.logit_scale,)
    heats: Sequence[float | None] = temperature_scales or (None,)
    variants = [
        replace(
            setting,
            protocol=replace(setting.protocol, logit_scale=scale),
            method=_heated(setting, heat),
        )
        for scale, heat in product(scales, heats)
    ]
    results = evaluate_all(variants, advance, _tally)
    trials = [
        _trial(variant, result.outcome) for variant, result in zip(variants, results, strict=True)
    ]
    return sorted(trials, key=lambda trial: -trial.miou)


def plain(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Trials as plain data."""
    return [asdict(trial) for trial in trials]


def _tally(setting: Setting, queries: Queries) -> Accumulator:
    """Thresholds are only searched where the truth has a background."""
    if setting.dataset.card.background:
        return ThresholdAccumulator(setting.protocol, setting.dataset.card, queries)
    return tally_of(setting, queries)


def _heated(setting: Setting, scale: float | None) -> Any:
    if scale is None:
        return setting.method
    if not isinstance(setting.method, Gem):
        raise ValueError(f"temperature scales are of method=gem, not of {setting.method}")  # noqa: TRY004
    return replace(setting.method, temperature_scale=scale)


def _trial(setting: Setting, outcome: Outcome) -> Trial:
    return Trial(
        options=changed_options(setting),
        temperature_scale=getattr(setting.method, "temperature_scale", None),
        logit_scale=setting.protocol.logit_scale,
        background=outcome.scores.get("background"),
        miou=outcome.scores["miou"],
        curve=outcome.counts.get("curve"),
    )
