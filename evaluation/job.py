"""One setting from start to record."""

from __future__ import annotations

import math
from pathlib import Path

from evaluation.console import progress
from evaluation.records import Record, make_record, method_name, prepare_folder, write_record
from evaluation.setting import Setting


def run(setting: Setting, folder: Path) -> tuple[Record, Path]:
    """Evaluate and write the record into ``folder``; nothing is written if anything fails."""
    prepare_folder(folder)
    setting.dataset.check(setting.ids)
    from evaluation.runner import evaluate  # imports torch: mistakes are answered before

    title = f"{method_name(setting)} on {setting.dataset.card.name}"
    with progress(title, total=len(setting.ids)) as advance:
        result = evaluate(setting, advance)
    record = make_record(setting, result)
    if any(map(math.isnan, record.scores.values())):
        raise ValueError(f"{setting.dataset.card.name}: nothing of the truth counts, all is void")
    return record, write_record(record, folder)
