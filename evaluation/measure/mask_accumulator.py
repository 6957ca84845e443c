"""The metrics of one setting, fed one image at a time, in bounded memory.

Shapes: w words, c classes, u v rows and columns of a map, y x pixels of the truth.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from evaluation.data import VOID, Card
from evaluation.metrics import ConfusionMatrix, HeatmapIoU, scores
from evaluation.setting import EvalProtocol
from gem.image import ROUNDING, upsample
from gem.segmenter import View
from gem.vocabulary import Queries

T = TypeVar("T")
# Floating-point numbers of upsampled maps that stand in memory at once: 256 MiB.
BAND = 2**26


@dataclass(frozen=True)
class Outcome:
    """What a pass leaves: shares in [0, 1], and the integers that they come from.

    scores: by name, the headline first. per_class: the headline's part by class, None where a
    class did not occur. counts: nested lists by name, from which scores can be computed again (of
    points, those that sum over a class).
    """

    scores: dict[str, float]
    per_class: dict[str, float | None]
    counts: dict[str, list[Any]]


class ImageCache:
    """Computes for settings that ask the same of one image: the last result of each function.

    Held by the identity of tensors and the value of all else; to be dropped with the image.
    """

    def __init__(self) -> None:
        self._held: dict[object, tuple[tuple[object, ...], Any]] = {}

    def __call__(self, compute: Callable[..., T], *given: object) -> T:
        """``compute(*given)``, or what it gave for the same before."""
        known = self._held.get(compute)
        if known is None or not all(map(_same, known[0], given)):
            known = self._held[compute] = (given, compute(*given))
        found: T = known[1]
        return found


def _same(one: object, other: object) -> bool:
    plain = (tuple, slice)
    return one is other or (isinstance(one, plain) and isinstance(other, plain) and one == other)


class Accumulator(Protocol):
    """Takes what the model saw of each image, and its truth; gives an outcome in the end."""

    def update(self, view: View, truth: Any, once: ImageCache) -> None:
        """Count one image; ``truth`` is that of the sample, ``once`` is shared with others."""

    def outcome(self) -> Outcome:
        """What has been counted so far."""

    def state(self) -> dict[str, Tensor]:
        """The integers that have been counted so far, by name."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from the `state` of a tally of the same setting."""


class MaskAccumulator:
    """Decides every pixel of a mask and counts; heat maps of the classes that are shown.

    Scores: ``miou``; ``miou_foreground``, among the classes alone where the truth is one of them
    (for data sets with a background that is not asked in words); ``heatmap_iou``;
    ``pixel_accuracy``.
    """

    def __init__(self, rules: EvalProtocol, card: Card, queries: Queries) -> None:
        check_queries(card, queries)
        device = queries.text.device
        self.rules, self.card, self.queries = rules, card, queries
        self.alone = card.background and not queries.background
        self.matrix = ConfusionMatrix(labels=len(card.labels)).to(device)
        self.foreground = ConfusionMatrix(labels=len(card.classes)).to(device)
        self.heatmap = HeatmapIoU(classes=len(card.classes), first=int(card.background)).to(device)

    def update(self, view: View, truth: Integer[np.ndarray, "y x"], once: ImageCache) -> None:
        """Upsample to the truth, decide, count; in bands of rows where that would be large."""
        cosines = once(View.cosines, view, self.queries.text)
        mask = torch.from_numpy(truth.astype("int64")).to(cosines.device)
        size = (mask.shape[0], mask.shape[1])
        scaled = once(min_max_at, cosines, size) if self.rules.min_max else cosines
        for rows in bands(size, len(cosines)):
            self._count(once(upsample, scaled, size, rows), mask[rows])
        self.heatmap.update(class_maps(cosines, self.queries), mask)

    def outcome(self) -> Outcome:
        """Scores from the matrices, which are kept."""
        matrix, overlap = self.matrix.compute().cpu(), self.heatmap.counts.cpu()
        overall = scores(matrix)
        found, counts = {"miou": overall.miou}, {"matrix": matrix.tolist()}
        if self.alone:
            foreground = self.foreground.compute().cpu()
            found["miou_foreground"] = scores(foreground).miou
            counts["foreground"] = foreground.tolist()
        found["heatmap_iou"] = float(self.heatmap.compute())
        found["pixel_accuracy"] = overall.pixel_accuracy
        return Outcome(
            scores=found,
            per_class=dict(zip(self.card.labels, overall.iou, strict=True)),
            counts=counts | {"heatmap": overlap.tolist()},
        )

    def state(self) -> dict[str, Tensor]:
        """The counts of the three metrics."""
        return {name: metric.counts for name, metric in self._metrics.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Put counts in the place of those of the metrics, after an update that counts nothing."""
        void = torch.full((1, 1), VOID, device=self.queries.text.device)
        self.matrix.update(void * 0, void)
        self.foreground.update(void * 0, void)
        self.heatmap.update(torch.zeros(len(self.card.classes), 1, 1, device=void.device), void)
        for name, metric in self._metrics.items():
            metric.counts = state[name].to(metric.counts)

    @property
    def _metrics(self) -> dict[str, ConfusionMatrix | HeatmapIoU]:
        return {"matrix": self.matrix, "foreground": self.foreground, "heatmap": self.heatmap}

    def _count(self, maps: Float[Tensor, "w y x"], truth: Int[Tensor, "y x"]) -> None:
        best, certainty = self.rules.answer(maps, self.queries)
        if not self.card.background:
            self.matrix.update(best, truth)
            return
        self.matrix.update(self.rules.label(best, certainty, self.queries), truth)
        if self.alone:
            classes = torch.where((truth == 0) | (truth == VOID), VOID, truth - 1)
            self.foreground.update(best, classes)


def check_queries(card: Card, queries: Queries) -> None:
    """Raise ValueError if the words do not stand for the labels of the data set."""
    if queries.background and not card.background:
        raise ValueError(f"the vocabulary asks for a background, but {card.name} has none")
    wanted = len(card.labels if queries.background else card.classes)
    if queries.classes != wanted:
        raise ValueError(
            f"the vocabulary has {queries.classes} classes, but {card.name} has {wanted}"
        )


def bands(size: tuple[int, int], maps: int) -> Iterator[slice]:
    """Rows of an image of (height, width), as many at a time as `BAND` allows for so many maps."""
    height, width = size
    step = max(BAND // (width * maps), 1)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def min_max_at(cosines: Float[Tensor, "w u v"], size: tuple[int, int]) -> Float[Tensor, "w u v"]:
    """Scale each map so that, upsampled to ``size``, it runs from 0 to 1; a constant one is 0."""
    extremes = [
        torch.stack(upsample(cosines, size, rows).flatten(1).aminmax(dim=1))
        for rows in bands(size, len(cosines))
    ]
    low = torch.stack(extremes)[:, 0].amin(dim=0)[:, None, None]
    high = torch.stack(extremes)[:, 1].amax(dim=0)[:, None, None]
    return torch.where(high - low > ROUNDING, (cosines - low) / (high - low), 0.0)


def class_maps(cosines: Float[Tensor, "w u v"], queries: Queries) -> Float[Tensor, "c u v"]:
    """One map per class that is not the background: the largest cosine of its words."""
    found = [maps.amax(dim=0) for maps in queries.by_class(cosines)]
    return torch.stack(found[int(queries.background) :])
