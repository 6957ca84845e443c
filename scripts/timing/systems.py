"""The systems of the paper's Table 3 on one image at a time, as its column of images a second.

Random weights of the published sizes, so that nothing is downloaded; an image of VOC's usual size,
resized, encoded and scored for all words; the words are embedded before. Where a number depends on
what trained weights would find, it is set: Grounding DINO gives its ten best boxes (untrained, all
900 pass its threshold), and of SAM's automatic masks, which no untrained one makes well, the points
are all asked but few masks are enlarged. Words have two letters, because the stand-in tokenizer of
random weights makes a token of each: 150 of them are as long as the names of ADE20K's classes.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from itertools import islice, product
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from rich.table import Table
from timing.cells import VOC
from timing.clock import Timing

from evaluation.console import literal
from evaluation.launch import MISTAKES, compose_setting, sentence
from evaluation.setting import Setting
from gem import Vocabulary
from gem.options import options
from gem.systems import GemSam, GroundingDino, GroundingSam
from gem.systems.grounding_dino import Boxes

if TYPE_CHECKING:
    from jaxtyping import UInt8
    from torch import Tensor

CLASSES = (20, 150)  # as VOC and ADE20K have
OWN = ("backbone=clip_vit_b16", "backbone.weights=null")
SAM = ("segmenter.sam.weights=null",)
ROWS: Mapping[str, Sequence[str]] = {
    "clip": (*OWN, "method=clip"),
    "gem": OWN,
    "groupvit": ("segmenter=groupvit", "segmenter.weights=null"),
    "clipseg": ("segmenter=clipseg", "segmenter.weights=null"),
    "grounding_sam": ("segmenter=grounding_sam", "segmenter.detector.weights=null", *SAM),
    "gem_sam": ("segmenter=gem_sam", *OWN, *SAM),
    "gem_sam, masks kept": ("segmenter=gem_sam", *OWN, *SAM),
}
"""Words of run.py by the name of a row."""
KEPT = "masks kept"  # the same images were seen before
Taken = Mapping[int, float]
"""Seconds an image by the number of classes."""


@options
class TenBoxes(GroundingDino):
    """As many boxes as a photograph has things, which untrained weights do not tell apart."""

    def find(self, image: "UInt8[Tensor, '3 y x']", words: Sequence[str]) -> Boxes:
        """The ten best."""
        found = super().find(image, words)
        best = found.scores.amax(dim=1).topk(min(10, len(found.scores))).indices
        return Boxes(found.corners[best], found.scores[best])


def systems_table(timing: Timing, rows: Mapping[str, Sequence[str]] = ROWS) -> Table:
    """Measure and show; a row that cannot be built here says why."""
    title = f"random weights, one image of {VOC[1]} x {VOC[0]} at a time, {timing.precision}"
    table = Table(title=literal(title), title_justify="left")
    table.add_column("")
    for number in CLASSES:
        table.add_column(f"{number} classes, s", justify="right")
        table.add_column("images/s", justify="right")
    table.add_column("")
    for row, words in rows.items():
        try:
            taken = measure(timing, row, words)
        except MISTAKES as error:
            table.add_row(row, *["-"] * (2 * len(CLASSES)), literal(sentence(error)))
            continue
        numbers = [f"{one:.3g}" for s in taken.values() for one in (s, 1 / s)]
        table.add_row(row, *numbers, "")
    return table


def measure(timing: Timing, row: str, words: Sequence[str]) -> Taken:
    """The median over repeats and rounds, after an image that is not counted.

    Raises ValueError or OSError if the words make no setting, or its models cannot be built.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gem-masks-"))
        setting = setting_of(timing, words, folder)
        stack.callback(setting.segmenter.unload)
        setting.segmenter.check(())
        found = {}
        for number in CLASSES:
            images = list(islice(noise(number), 1 + timing.repeats * timing.rounds))
            if KEPT in row:
                list(seconds(setting, images, number))
            found[number] = statistics.median(list(seconds(setting, images, number))[1:])
        return found


def setting_of(timing: Timing, words: Sequence[str], folder: str) -> Setting:
    """What the words say, with the model and the size that are asked for; masks in a folder."""
    own = [f"backbone.model={timing.model}", f"backbone.precision={timing.precision}"]
    setting = compose_setting([*words, f"short_side={timing.size}", *own * (OWN[0] in words)])
    segmenter: Any = setting.segmenter
    if isinstance(segmenter, GemSam):
        segmenter = replace(segmenter, root=folder, sam=_as_asked(segmenter.sam, timing))
    elif isinstance(segmenter, GroundingSam):
        given = _as_asked(segmenter.detector, timing)
        values = {one.name: getattr(given, one.name) for one in fields(given)}
        sam = _as_asked(segmenter.sam, timing)
        segmenter = replace(segmenter, detector=TenBoxes(**values), sam=sam)
    elif hasattr(segmenter, "precision"):
        segmenter = _as_asked(segmenter, timing)
    return replace(setting, segmenter=segmenter)


def _as_asked(model: Any, timing: Timing) -> Any:
    return replace(model, precision=timing.precision)


def noise(seed: int) -> Iterator[Image.Image]:
    """Images without end, all of them different."""
    random = np.random.default_rng(seed)
    while True:
        yield Image.fromarray(random.integers(0, 256, (*VOC, 3), dtype=np.uint8))


def seconds(setting: Setting, images: Sequence[Image.Image], classes: int) -> Iterator[float]:
    """What each image takes from its pixels to its scores."""
    import torch

    segmenter, protocol = setting.segmenter, setting.protocol
    words = tuple("".join(two) for two in islice(product(ascii_lowercase, repeat=2), classes))
    asked = Vocabulary(names=words, words=words)
    queries = asked.with_text(segmenter.embed(asked, setting.prompts))
    for image in images:
        start = time.perf_counter()
        batch = segmenter.prepare(image, resize=protocol.resize)[None]
        ((encoded,),) = segmenter.encode_together([segmenter], batch, windows=protocol.tiling)
        encoded.scores(queries)
        if segmenter.device.type == "cuda":
            torch.cuda.synchronize()
        yield time.perf_counter() - start
