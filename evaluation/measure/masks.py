"""Masks: every pixel of the truth is decided and counted.

Shapes: y x pixels of the truth.
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
    class_maps,
    mask_of,
    score_maps,
)
from evaluation.metrics import ConfusionMatrix, HeatmapIoU, Score, scores
from evaluation.metrics.accumulator import ImageCache, Outcome
from evaluation.setting import EvalProtocol
from gem.segmenter import EncodedImage
from gem.vocabulary import Queries


class MaskAccumulator:
    """Decides every pixel by the protocol and counts; heat maps of the classes that are shown.

    Scores: ``miou``; ``miou_foreground``, among the classes alone where the truth is one of them
    (for data sets with a background that is not asked in words); ``heatmap_iou``, of the maps as
    they are, without the protocol's PAMR; ``pixel_accuracy``. Of a segmenter that decides by itself
    only ``miou`` and ``pixel_accuracy`` are defined.
    """

    def __init__(
        self, protocol: EvalProtocol, card: Card, queries: Queries, *, decided: bool = False
    ) -> None:
        check_queries(card, queries)
        check_rules(protocol, queries)
        device = queries.text.device
        self.protocol, self.card, self.queries = protocol, card, queries
        self.decided = decided
        self.has_foreground = card.background and not queries.background
        matrix = ConfusionMatrix(
            labels=len(card.labels), unpredicted=decided and not card.background
        )
        self.matrix = matrix.to(device)
        self.foreground = ConfusionMatrix(labels=len(card.classes)).to(device)
        self.heatmap = HeatmapIoU(classes=len(card.classes), first=int(card.background)).to(device)

    def count(
        self, image: EncodedImage, truth: Integer[np.ndarray, "y x"], cache: ImageCache
    ) -> Iterator[None]:
        """Upsample to the truth, decide, count; in bands of rows where that would be large."""
        mask = cache(mask_of, truth, self.queries)
        if image.labels is not None:
            self.matrix.update(image.labels, mask)
            yield
            return
        size = (mask.shape[0], mask.shape[1])
        found = best_classes(image, self.queries, self.protocol, size, cache)
        yield from map(partial(self._count, mask), found)  # a loop would hold the last band
        if self.decided:
            return
        maps = cache(score_maps, image, self.queries)
        shown = cache(labels_of, truth)
        self.heatmap.update(cache(class_maps, maps, self.queries), mask, shown)

    def outcome(self) -> Outcome:
        """Scores from the matrices, which are kept."""
        matrix = self.matrix.compute().cpu()
        overall = scores(matrix)
        square = matrix[:, : len(matrix)]
        found, counts = [Score("miou", "mIoU", overall.miou)], {"matrix": square.tolist()}
        if self.matrix.unpredicted:
            counts["unpredicted"] = matrix[:, -1].tolist()
        if self.has_foreground and not self.decided:
            foreground = self.foreground.compute().cpu()
            found.append(Score("miou_foreground", "mIoU fg", scores(foreground).miou))
            counts["foreground"] = foreground.tolist()
        if not self.decided:
            found.append(Score("heatmap_iou", "map IoU", float(self.heatmap.compute())))
            counts["heatmap"] = self.heatmap.counts.cpu().tolist()
        found.append(Score("pixel_accuracy", "pix acc", overall.pixel_accuracy))
        per_class = dict(zip(self.card.labels, overall.iou, strict=True))
        return Outcome(scores=tuple(found), per_class=per_class, counts=counts)

    def state(self) -> dict[str, Tensor]:
        """The counts of the three metrics."""
        return {name: metric.counts for name, metric in self._metrics.items()}

    def add(self, state: Mapping[str, Tensor]) -> None:
        """Add counts of other images."""
        for name, metric in self._metrics.items():
            metric.counts += state[name].to(metric.counts)

    @property
    def _metrics(self) -> dict[str, ConfusionMatrix | HeatmapIoU]:
        return {"matrix": self.matrix, "foreground": self.foreground, "heatmap": self.heatmap}

    def _count(self, mask: Int64[Tensor, "y x"], band: Band) -> None:
        truth = mask[band.rows]
        background = self.card.background
        labels = band.labels(self.protocol, self.queries, background=background)
        self.matrix.update(labels, truth)
        if self.has_foreground:
            classes = torch.where((truth == 0) | (truth == VOID), VOID, truth - 1)
            self.foreground.update(band.best, classes)


def labels_of(truth: Integer[np.ndarray, "y x"]) -> list[int]:
    """The labels that a truth shows, on the host, where it is: no GPU is waited for."""
    found: list[int] = np.flatnonzero(np.bincount(truth.ravel())).tolist()
    return found
