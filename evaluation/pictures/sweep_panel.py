"""Images with the decisions of several settings beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluation.data import task_of
from evaluation.pictures.panel import PanelRow, panel
from evaluation.pictures.predictions import COLUMNS, heat_rows, label_maps, shown_ids
from evaluation.setting import Setting


def draw_decisions(settings: Mapping[str, Setting], path: Path, *, ids: Sequence[str]) -> None:
    """Write a PNG: a line per image with its truth and each decision, then heat maps of two words.

    settings: by the names of their columns, of one data set. Raises ValueError for data without
    masks, for several data sets or more settings than a picture holds, and what reading, loading
    and deciding raise.
    """
    check_drawable(settings)
    first = next(iter(settings.values()))
    samples = [first.dataset[one] for one in ids]
    columns = {name: label_maps(setting, samples) for name, setting in settings.items()}
    rows = [
        PanelRow(sample=sample, predictions={name: maps[place] for name, maps in columns.items()})
        for place, sample in enumerate(samples)
    ]
    panel(rows, heat_rows(settings, rows), first.dataset.card, path)


def check_drawable(settings: Mapping[str, Setting]) -> None:
    """Raise ValueError for settings that do not make one picture."""
    if not settings or len(settings) > COLUMNS:
        raise ValueError(
            f"panel: {len(settings)} records, expected 1 to {COLUMNS} for one picture: choose by "
            "filters"
        )
    first = next(iter(settings.values()))
    for other in settings.values():
        if other.dataset != first.dataset:
            names = f"{first.dataset.card.name} and {other.dataset.card.name}"
            raise ValueError(f"panel: the records are of other data ({names}): choose by filters")
    if task_of(first.dataset) != "masks":
        raise ValueError(f"panel: {first.dataset.card.name} has no masks to draw")


def chosen_ids(setting: Setting, wanted: Sequence[str], count: int, seed: int) -> list[str]:
    """The images that are wanted, else some that the seed chooses, in the order of the data set.

    Raises ValueError for one that the setting does not have.
    """
    known = setting.ids
    if unknown := [one for one in wanted if one not in set(known)]:
        raise ValueError(f"ids={unknown[0]}: {setting.dataset.card.name} has no such image")
    if wanted:
        return list(wanted)
    return shown_ids(setting, count=count, seed=seed)
