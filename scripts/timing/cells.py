"""The second table: what the cells of the paper's tables cost over one shared trace.

On a VOC-sized image: features of all settings, without text, upsampling and counting, which are of
each setting. The rows take turns in one process: one that waits long for its turn is slowed by
what the machine took from it meanwhile.
"""

import statistics
from collections.abc import Mapping, Sequence

from rich.table import Table
from timing.clock import Run, Timing, empty_table, noise, timed

from gem import Gem, Method, OpenClip, Patches, ShortSide
from gem.trace import Projection

CELLS = {
    "one GEM run": "K=1, 4 blocks",
    "cells without MLP": "Tables 1, 4, 6 on one data set",
    "all cells": "and Table 6 with MLP",
}
VOC = (375, 500)  # height and width of a usual image


def cells_table(timing: Timing) -> Table:
    """Measure and show."""
    of = dict(zip(CELLS, cells(), strict=True))
    patch = OpenClip(model=timing.model).shape.patch_size
    median = medians(timing, of, ShortSide(size=timing.size).fit(*VOC, patch))
    title = f"{timing.model}, a VOC-sized image, shorter side {timing.size}, one shared trace"
    table = empty_table(title, "x one run")
    for row, what in CELLS.items():
        name = row if len(of[row]) == 1 else f"{len(of[row])} {row}"
        ratio = median[row] / median["one GEM run"]
        table.add_row(name, what, f"{median[row]:.0f}", f"{ratio:.2f}")
    return table


def medians(
    timing: Timing, of: Mapping[str, Sequence[Method]], size: tuple[int, int]
) -> dict[str, float]:
    """The median milliseconds an image of each row: its methods over one trace, taking turns.

    size: height and width of the images.
    """
    import torch

    backbone = OpenClip(model=timing.model, precision=timing.precision)  # type: ignore[arg-type]
    images = noise(timing, size)
    taken: dict[str, list[float]] = {row: [] for row in of}
    with torch.inference_mode():
        for turn in range(timing.rounds + 1):
            for row, methods in of.items():
                run = together(backbone, methods)
                found = timed(run, images, timing.repeats if turn else 1)
                taken[row] += found if turn else []
    return {row: statistics.median(times) for row, times in taken.items()}


def together(backbone: OpenClip, methods: Sequence[Method]) -> Run:
    """The features of all methods, from one trace."""
    segmenters = [Patches(backbone=backbone, method=one) for one in methods]
    return lambda images: segmenters[0].encode_together(segmenters, images, windows=None)


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
