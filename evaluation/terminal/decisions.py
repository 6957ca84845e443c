"""A picture of what the settings of records decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.console import say
from evaluation.records.differing import labels_of
from evaluation.records.query import read_frame, select
from evaluation.records.record import read_records
from evaluation.run.rerun import setting_of


def draw_records(
    folder: Path,
    filters: Sequence[str],
    moved: Mapping[str, Any],
    *,
    ids: Sequence[str],
    count: int,
    seed: int,
    out: Path,
) -> None:
    """Draw images with the decision of each record that the filters leave.

    moved: where data and weights lie here, as of `setting_of`. ids: of images; none lets the seed
    choose ``count``. Raises ValueError where they make no picture.
    """
    frame = select(read_frame(folder)[0], filters)
    records = {record.key: record for record, _ in read_records(folder)[0]}
    labels = labels_of(frame)
    settings = {label: setting_of(records[key], moved) for key, label in labels.items()}
    from evaluation.pictures.sweep_panel import check_drawable, chosen_ids, draw_decisions

    check_drawable(settings)
    chosen = chosen_ids(next(iter(settings.values())), ids, count, seed)
    draw_decisions(settings, out, ids=chosen)
    say("written: ", out)
