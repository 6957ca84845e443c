"""One setting from start to record."""

from __future__ import annotations

from pathlib import Path

from evaluation.console import console, progress
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
    if next(iter(record.scores.values())) is None:
        raise ValueError(f"{setting.dataset.card.name}: nothing of the truth counts, all is void")
    return record, write_record(record, folder)


def label(setting: Setting, folder: Path) -> None:
    """Label images without truth into ``folder``, and say where the labels are."""
    prepare_folder(folder)
    setting.dataset.check(setting.ids)
    _ = setting.asked  # without classes there is nothing to do: say so before torch is imported
    from evaluation.labelling import label_folder

    with progress(f"{method_name(setting)} on {setting.dataset.card.name}", len(setting.ids)) as on:
        paths = label_folder(setting, folder, on)
    if setting.backbone.provenance.random:
        console.print("[bold red]RANDOM WEIGHTS: these labels mean nothing[/]")
    for path in paths:
        console.print(f"labels: {path}", highlight=False)
