"""The second table: what the cells of the paper's tables cost over one shared trace.

On a VOC-sized image: features of all settings, without text, upsampling and counting, which are of
each setting. The rows take turns in one process: one that waits long for its turn is slowed by
what the machine took from it meanwhile.
"""

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from timing.clock import Run, Timing, empty_table, noise, timed

from gem import Gem, OpenClip, Patches, ShortSide
from gem.trace import Projection

if TYPE_CHECKING:
    from torch import Tensor

CELLS = {
    "one GEM run": "K=1, 4 blocks",
    "cells without MLP": "Tables 1, 4, 6 on one data set",
    "all cells": "and Table 6 with MLP",
}
VOC = (375, 500)  # height and width of a usual image


def cells_table(timing: Timing) -> Table:
    """Measure and show."""
    import torch

    of = dict(zip(CELLS, cells(), strict=True))
    runs = {row: prepare(timing, some) for row, some in of.items()}
    taken: dict[str, list[float]] = {row: [] for row in CELLS}
    with torch.inference_mode():
        for turn in range(timing.rounds + 1):
            for row, (run, images) in runs.items():
                found = timed(run, images, timing.repeats if turn else 1)
                taken[row] += found if turn else []
    median = {row: statistics.median(times) for row, times in taken.items()}
    title = f"{timing.model}, a VOC-sized image, shorter side {timing.size}, one shared trace"
    table = empty_table(title, "x one run")
    for row, what in CELLS.items():
        name = row if len(of[row]) == 1 else f"{len(of[row])} {row}"
        ratio = median[row] / median["one GEM run"]
        table.add_row(name, what, f"{median[row]:.0f}", f"{ratio:.2f}")
    return table


def prepare(timing: Timing, some: Sequence[Gem]) -> tuple[Run, "Tensor"]:
    """All settings over one trace, and a batch for it."""
    backbone = OpenClip(model=timing.model, precision=timing.precision)  # type: ignore[arg-type]
    segmenters = [Patches(backbone=backbone, method=one) for one in some]
    size = ShortSide(size=timing.size).fit(*VOC, backbone.shape.patch_size)
    first = segmenters[0]
    return (
        lambda images: first.encode_together(segmenters, images, windows=None),
        noise(timing, size),
    )


def cells() -> tuple[list[Gem], list[Gem], list[Gem]]:
    """One run, and the distinct settings of GEM in Tables 1, 4 and 6, without and with the MLP's.

    CLIP is the ordinary pass itself, CLIP Surgery (6 blocks) reads as v-v does. Table 1 with norm
    and adaptive temperature has K=0, as its 45.1 is the K=0 of Table 4.
    """
    ways: list[tuple[Projection, ...]] = [("v",), ("k",), ("q",), ("q", "k", "v")]
    some = [Gem(projections=way, iters=0, normalize=False, temperature="standard") for way in ways]
    some += [Gem(projections=way, iters=0) for way in ways]
    some += [Gem(iters=iters) for iters in range(4)]
    some += [Gem(blocks=blocks) for blocks in range(1, 12)]
    distinct = list(dict.fromkeys(some))
    with_mlp = [Gem(blocks=blocks, mlp=True) for blocks in range(1, 12)]
    return [Gem()], distinct, [*distinct, *with_mlp]
