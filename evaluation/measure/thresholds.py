"""Thresholds: the mIoU of a hundred thresholds of the background in one pass.

Shapes: i thresholds, k labels, y x pixels of the truth.
"""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import torch
from jaxtyping import Int64, Integer
from torch import Tensor

from evaluation.data import VOID, Card
from evaluation.measure.decision import (
    Band,
    best_classes,
    check_queries,
    check_rules,
    mask_of,
)
from evaluation.metrics import Score, scores
from evaluation.metrics.accumulator import ImageCache, Outcome
from evaluation.metrics.matrix import tally
from evaluation.setting import EvalProtocol
from gem.segmenter import EncodedImage
from gem.vocabulary import Queries

THRESHOLDS = tuple(round(step / 100, 2) for step in range(100))


class ThresholdAccumulator:
    """Counts pixels by truth, best class and certainty: the mIoU of every threshold, exactly.

    The matrix of a threshold is the one that `MaskAccumulator` would count with it. Scores:
    ``miou``, that of the best threshold, and ``background``, the threshold itself.
    """

    def __init__(self, protocol: EvalProtocol, card: Card, queries: Queries) -> None:
        check_queries(card, queries)
        check_rules(protocol, queries)
        self.protocol, self.card, self.queries = protocol, card, queries
        shape = (len(card.labels), queries.classes, len(THRESHOLDS) + 1)
        device = queries.text.device
        self.counts = torch.zeros(shape, dtype=torch.int64, device=device)
        self.limits = torch.tensor(THRESHOLDS, device=device)

    def count(
        self, image: EncodedImage, truth: Integer[np.ndarray, "y x"], cache: ImageCache
    ) -> Iterator[None]:
        """Count one image, in bands of rows where it is large."""
        mask = cache(mask_of, truth, self.queries)
        size = (mask.shape[0], mask.shape[1])
        found = best_classes(image, self.queries, self.protocol, size, cache)
        yield from map(partial(self._count, mask), found)  # a loop would hold the last band

    def _count(self, mask: Int64[Tensor, "y x"], band: Band) -> None:
        truth, (_, classes, steps) = mask[band.rows], self.counts.shape
        passed = torch.bucketize(band.certainty(), self.limits, right=True)  # limits <= certainty
        place = (truth * classes + band.best) * steps + passed
        place = torch.where(truth == VOID, self.counts.numel(), place)
        self.counts += tally(place, self.counts.numel() + 1)[:-1].reshape(self.counts.shape)

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

    def add(self, state: Mapping[str, Tensor]) -> None:
        """Add counts of other images."""
        self.counts += state["counts"].to(self.counts)

    def outcome(self) -> Outcome:
        """The best threshold with its mIoU, and the curve over all of them."""
        curve = [scores(matrix).miou for matrix in self.matrices()]
        best = max(range(len(curve)), key=curve.__getitem__)
        found = (
            Score("miou", "mIoU", curve[best]),
            Score("background", "threshold", THRESHOLDS[best]),
        )
        return Outcome(scores=found, per_class={}, counts={"curve": curve})
