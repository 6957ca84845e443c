"""One setting over one data set: images in, integer counts out.

Shapes: b images, y x pixels, c classes, k labels, e embedding.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor

from evaluation.data import VOID, Card
from evaluation.metrics import ConfusionMatrix, HeatmapIoU
from evaluation.protocol import Protocol
from evaluation.setting import Setting
from gem.image import upsample
from gem.segmenter import Segmenter

# Images wait for others of their shape in at most this many batches' worth of memory.
WAITING_BATCHES = 8

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Prepared:
    """A sample on its way: the model's input and the truth at its own resolution."""

    id: str
    pixels: Float[Tensor, "3 y x"]
    truth: Int[Tensor, "y2 x2"]


@dataclass(frozen=True)
class Counts:
    """What a pass leaves, in integers, and how long it took.

    ``foreground`` counts decisions among the classes alone, where the truth is no background; it
    is None for a data set without a background class, for which ``matrix`` is just that.
    """

    matrix: Int64[Tensor, "k k"]
    foreground: Int64[Tensor, "c c"] | None
    heatmap_iou: float
    images: int
    seconds: float


class Tally:
    """The metrics of one setting, fed one image at a time."""

    def __init__(self, protocol: Protocol, card: Card, device: torch.device) -> None:
        self.protocol, self.background = protocol, card.background
        self.matrix = ConfusionMatrix(labels=len(card.labels)).to(device)
        self.foreground = ConfusionMatrix(labels=len(card.classes)).to(device)
        self.heatmap = HeatmapIoU(classes=len(card.classes), first=int(card.background)).to(device)

    def update(self, cosines: Float[Tensor, "c u v"], truth: Int[Tensor, "y x"]) -> None:
        """Upsample to the truth, decide, count."""
        maps = upsample(cosines, (truth.shape[0], truth.shape[1]))
        self.matrix.update(self.protocol.decide(maps, background=self.background), truth)
        self.heatmap.update(maps, truth)
        if self.background:
            classes = torch.where((truth == 0) | (truth == VOID), VOID, truth - 1)
            self.foreground.update(self.protocol.decide(maps, background=False), classes)


def evaluate(setting: Setting, advance: Advance = lambda _: None) -> Counts:
    """Evaluate a setting; ``advance`` is told of every n images that are done.

    Neither the batch size nor the order of the samples changes the counts. Raises what the data
    set, the backbone and the method raise, before any long work where that can be known.
    """
    dataset, card = setting.dataset, setting.dataset.card
    ids = setting.ids
    dataset.check(ids)
    segmenter = Segmenter(setting.backbone, setting.method, setting.protocol.resize)
    text = card.vocabulary.embed(setting.backbone, setting.prompts)
    device = setting.backbone.torch_device
    tally = Tally(setting.protocol, card, device)
    start = time.perf_counter()
    for batch in bucket((prepare(segmenter, setting, name) for name in ids), setting.batch_size):
        cosines = segmenter.cosines(torch.stack([item.pixels for item in batch]), text)
        for maps, item in zip(cosines, batch, strict=True):
            tally.update(maps, item.truth.to(device))
        advance(len(batch))
    return _counts(tally, images=len(ids), seconds=time.perf_counter() - start)


def prepare(segmenter: Segmenter, setting: Setting, sample_id: str) -> Prepared:
    """Read one sample and resize its image; the truth stays as it is."""
    sample = setting.dataset[sample_id]
    truth = torch.from_numpy(sample.truth.astype("int64"))
    return Prepared(id=sample.id, pixels=segmenter.prepare(sample.image), truth=truth)


def bucket(samples: Iterable[Prepared], size: int) -> Iterator[list[Prepared]]:
    """Batches of equal shape, up to ``size``; the fullest goes early if too many are waiting."""
    waiting: dict[torch.Size, list[Prepared]] = {}
    for sample in samples:
        batch = waiting.setdefault(sample.pixels.shape, [])
        batch.append(sample)
        crowded = sum(map(len, waiting.values())) >= WAITING_BATCHES * size
        if len(batch) == size or crowded:
            yield waiting.pop(max(waiting, key=lambda shape: len(waiting[shape])))
    yield from waiting.values()


def _counts(tally: Tally, *, images: int, seconds: float) -> Counts:
    return Counts(
        matrix=tally.matrix.compute().cpu(),
        foreground=tally.foreground.compute().cpu() if tally.background else None,
        heatmap_iou=float(tally.heatmap.compute()),
        images=images,
        seconds=seconds,
    )
