"""A panel: scenes with their truth and what each method finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from evaluation.data import VOID, Card, Sample
from evaluation.pictures.palette import palette
from evaluation.whole_files import write_whole

if TYPE_CHECKING:
    from jaxtyping import Float, Integer
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class PanelRow:
    """One scene of a panel: the sample and each method's labels at the truth's resolution."""

    sample: Sample
    predictions: Mapping[str, Integer[np.ndarray, "y x"]]


def panel(rows: Sequence[PanelRow], card: Card, path: Path) -> None:
    """Write a PNG: a line per scene with image, truth, and each method; a legend below.

    The legend names the classes that the truth of the shown scenes has.
    """
    names = ["image", "ground truth", *rows[0].predictions]
    colours = palette(background=card.background)
    width, height = 1.55 * len(names), 1.55 * len(rows) + 0.75
    figure = Figure(figsize=(width, height), layout="constrained", dpi=160)
    axes = figure.subplots(len(rows), len(names), squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        pictures = [np.asarray(row.sample.image), colours[row.sample.truth]]
        pictures += [colours[labels] for labels in row.predictions.values()]
        for axis, picture in zip(line, pictures, strict=True):
            _bare(axis, picture)
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(name, fontsize=10)
    _legend(figure, rows, card, colours)
    write_whole(path, lambda part: figure.savefig(part, format="png"))


def _bare(axis: Axes, picture: np.ndarray) -> None:
    axis.imshow(picture, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set(color="0.75", linewidth=0.6)


def _legend(
    figure: Figure, rows: Sequence[PanelRow], card: Card, colours: Float[np.ndarray, "256 3"]
) -> None:
    shown = sorted({int(label) for row in rows for label in np.unique(row.sample.truth)} - {VOID})
    patches = [
        Patch(facecolor=tuple(colours[label]), edgecolor="0.6", linewidth=0.5, label=name)
        for label, name in ((label, card.labels[label]) for label in shown)
    ]
    columns = min(len(patches), int(figure.get_figwidth() / 1.1))
    figure.legend(
        handles=patches, loc="outside lower center", ncols=columns, frameon=False,
        fontsize=8, handlelength=1.1, columnspacing=1.2,
    )  # fmt: skip
