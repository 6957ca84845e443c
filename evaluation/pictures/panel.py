"""A panel: images with their truth and what each method finds, and heat maps of single words.

Shapes: y x pixels of the truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from evaluation.data import VOID, Card, Sample
from evaluation.pictures.cover import cover, outline
from evaluation.pictures.palette import palette
from evaluation.pictures.quality import image_iou, map_iou
from evaluation.pictures.sheet import Cell, Sheet
from evaluation.whole_files import write_whole
from gem.overlay import overlay

if TYPE_CHECKING:
    from jaxtyping import Float, Integer


@dataclass(frozen=True)
class PanelRow:
    """One image of a panel: the sample and each method's labels at the truth's resolution."""

    sample: Sample
    predictions: Mapping[str, Integer[np.ndarray, "y x"]]


@dataclass(frozen=True)
class HeatRow:
    """The maps of one word in one image, at the truth's resolution, each scaled to [0, 1].

    label: of the class that the word stands for. maps: None of a method that has none.
    """

    sample: Sample
    label: int
    word: str
    maps: Mapping[str, Float[np.ndarray, "y x"] | None]


def panel(
    rows: Sequence[PanelRow], heat: Sequence[HeatRow], card: Card, path: Path, *, caption: str = ""
) -> None:
    """Write a PNG: a line per image with its truth and each method, then a line per heat map.

    The legend names the classes that the truth or any method has in the shown images.
    """
    methods = list(rows[0].predictions)
    sheet = Sheet(2 + len(methods))
    sheet.heading("Labels: the image's mean IoU over its classes, %")
    sheet.titles(["image", "ground truth", *methods])
    for row in rows:
        sheet.row(_labelled(sheet, row, card))
    sheet.legend(_legend(rows, card))
    if heat:
        sheet.heading("Heat map of one word, its object outlined: IoU of the brighter half, %")
        sheet.titles(["image", "the word", *methods])
        for one in heat:
            sheet.row(_heated(sheet, one))
    if caption:
        sheet.text(caption)
    write_whole(path, partial(sheet.image().save, format="PNG"))


def _labelled(sheet: Sheet, row: PanelRow, card: Card) -> list[Cell]:
    image, colours = sheet.fitted(row.sample.image), palette(background=card.background)
    cells = [Cell(image)]
    for labels in (row.sample.truth, *row.predictions.values()):
        covered = cover(image, labels, colours, background=card.background)
        mean = image_iou(labels, row.sample.truth, card)[0]
        told = labels is not row.sample.truth and mean is not None
        cells.append(Cell(covered, f"mIoU {100 * mean:.0f}" if told and mean is not None else ""))
    return cells


def _heated(sheet: Sheet, row: HeatRow) -> list[Cell]:
    image, truth = sheet.fitted(row.sample.image), row.sample.truth
    inside = truth == row.label
    cells = [Cell(image), Cell(outline(image, inside), row.word)]
    for one in row.maps.values():
        if one is None:
            cells.append(Cell(image, "no map"))
            continue
        fine = Image.fromarray(one.astype(np.float32)).resize(image.size, Image.Resampling.BILINEAR)
        warm = overlay(image, np.asarray(fine).clip(0, 1))
        share = map_iou(one > 0.5, truth, row.label)
        cells.append(Cell(outline(warm, inside), f"IoU {100 * share:.0f}"))
    return cells


def _legend(rows: Sequence[PanelRow], card: Card) -> list[tuple[str, tuple[int, int, int]]]:
    """The classes of truth and predictions with their colours, in the order of labels."""
    maps = [labels for row in rows for labels in (row.sample.truth, *row.predictions.values())]
    shown = {int(label) for labels in maps for label in np.unique(labels)} - {VOID}
    rgb = (255 * palette(background=card.background)).round().astype(int)
    return [
        (card.labels[label], (int(rgb[label][0]), int(rgb[label][1]), int(rgb[label][2])))
        for label in sorted(shown - ({0} if card.background else set()))
    ]
