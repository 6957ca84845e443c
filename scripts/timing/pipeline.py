"""The fourth table: a whole evaluation beside the passes of its model, which are most of it.

Anybody can run it: the images are noise in memory, of VOC's usual size, and have masks of twelve
blocks with random labels; the words are random directions, and the model's weights are random. So
of reading only resizing is in it. 20 classes have a background under a threshold, as VOC; 59, 150
and 171 have none, as Context, ADE20K and COCO-Stuff. Windows are half the size, a quarter apart, on
an image whose shorter side is three quarters of it: at 448 they are those of SCLIP. All rows take
turns in one process. The model's passes are timed inside the evaluation that they are compared
with: two runs, one after the other, differ by more than what is measured.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from rich.table import Table
from timing.cells import VOC
from timing.clock import Timing, empty_table

from evaluation.data import VOID, Card, Sample
from evaluation.measure import ByTask
from evaluation.setting import EvalProtocol, Setting
from gem import Gem, OpenClip, Patches, Prompts, ShortSide, SlidingWindow, Vocabulary
from gem.options import options

if TYPE_CHECKING:
    from torch import Tensor

    from gem.segmenter import EncodedImage, Segmenter
    from gem.windows import Tiling

CLASSES = (20, 59, 150, 171)
BLOCKS = (3, 4)  # rows and columns of a mask
SPENT: list[float] = []  # seconds
Taken = tuple[float, float]
"""Milliseconds an image of the model's passes and of the whole evaluation."""


@dataclass(frozen=True)
class Noise:
    """``images`` samples of ``classes`` classes, drawn when they are asked for."""

    classes: int
    images: int

    @property
    def card(self) -> Card:
        """With a background where VOC has as many classes."""
        names = tuple(f"thing {number}" for number in range(self.classes))
        return Card(
            name="noise", title="Noise", source="none", licence="none", citation="none",
            layout="none", split="none", images=self.images, background=self.classes == 20,
            classes=names,
        )  # fmt: skip

    @property
    def ids(self) -> Sequence[str]:
        """Their seeds."""
        return tuple(map(str, range(self.images)))

    def check(self, ids: Sequence[str]) -> None:
        """Nothing can be missing."""

    def __getitem__(self, sample_id: str) -> Sample:
        """Noise, and blocks of labels."""
        random = np.random.default_rng(int(sample_id))
        image = Image.fromarray(random.integers(0, 256, (*VOC, 3), dtype=np.uint8))
        blocks = random.choice([*range(len(self.card.labels)), VOID], BLOCKS).astype(np.uint8)
        truth = Image.fromarray(blocks).resize(VOC[::-1], Image.Resampling.NEAREST)
        return Sample(id=sample_id, image=image, truth=np.array(truth))


@options
class RandomWords(Patches):
    """Words that no text tower embeds: that would take longer than all that is measured.

    It adds up in `SPENT` how long its passes take.
    """

    def embed(self, vocabulary: Vocabulary, prompts: Prompts) -> "Tensor":  # noqa: ARG002
        """Random directions, one for each word."""
        import torch

        shape = (len(vocabulary.class_words), self.backbone.shape.embedding)
        found = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(self.device)
        return torch.nn.functional.normalize(found, dim=-1)

    def encode_together(
        self, segmenters: "Sequence[Segmenter]", images: "Tensor", *, windows: "Tiling | None"
    ) -> "list[Sequence[EncodedImage]]":
        """As ever, until the device is through with it."""
        import torch

        start = time.perf_counter()
        found = super().encode_together(segmenters, images, windows=windows)
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        SPENT.append(time.perf_counter() - start)
        return found


def pipeline_table(timing: Timing, classes: Sequence[int] = CLASSES) -> Table:
    """Measure and show."""
    found = measure(timing, classes)
    title = f"{timing.model}, GEM, VOC-sized images, shorter side {timing.size}: an evaluation"
    table = empty_table(title, "x model", "its passes")
    for (number, windows), (model, whole) in found.items():
        row, what = f"{number} classes", "windows" if windows else ""
        table.add_row(row, what, f"{whole:.0f}", f"{whole / model:.2f}", f"{model:.0f}")
    return table


def measure(timing: Timing, classes: Sequence[int]) -> dict[tuple[int, bool], Taken]:
    """The round of the median ratio, by the number of classes and whether there are windows."""
    backbone = OpenClip(model=timing.model, precision=timing.precision)  # type: ignore[arg-type]
    rows = [(number, windows) for windows in (False, True) for number in classes]
    taken: dict[tuple[int, bool], list[Taken]] = {row: [] for row in rows}
    for turn in range(timing.rounds + 1):
        for row in rows:
            found = once(setting_of(timing, backbone, *row))
            taken[row] += [found] if turn else []
    return {
        row: sorted(times, key=lambda one: one[1] / one[0])[len(times) // 2]
        for row, times in taken.items()
    }


def setting_of(timing: Timing, backbone: OpenClip, classes: int, windows: bool) -> Setting:
    """``repeats`` batches of noise under the paper's protocol, or through windows."""
    quarter = timing.size // 4
    seen = SlidingWindow(size=2 * quarter, stride=quarter) if windows else None
    resize = ShortSide(size=3 * quarter if windows else timing.size)
    return Setting(
        segmenter=RandomWords(backbone=backbone, method=Gem()),
        dataset=Noise(classes, timing.repeats * timing.batch),
        protocol=EvalProtocol(name="timing", resize=resize, windows=seen),
        prompts=Prompts(templates=("{}",)),
        metric=ByTask(),
        batch_size=timing.batch,
    )


def once(setting: Setting) -> Taken:
    """An evaluation, and the passes in it."""
    from evaluation.measure.evaluate import evaluate

    SPENT.clear()
    whole = evaluate(setting).seconds
    return 1000 * sum(SPENT) / len(setting.ids), 1000 * whole / len(setting.ids)
