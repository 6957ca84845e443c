"""From settings to records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluation.console import console, progress
from evaluation.records.record import (
    Identity,
    Record,
    find_record,
    identify,
    make_record,
    method_name,
    prepare_folder,
    warnings_of,
    write_record,
)
from evaluation.setting import Setting
from gem.options import Flag, Positive, options


@options
class OutputOptions:
    """Where results go.

    output: the folder of records. labels: of what is labelled. force: evaluate again although a
    valid record is there. save_every: seconds after which a long pass saves its counts.
    """

    output: str
    labels: str
    force: Flag
    save_every: Positive


def find(setting: Setting, folder: Path) -> tuple[Record, Path] | None:
    """The valid record of the setting in ``folder``, if it was evaluated before."""
    prepare_folder(folder)
    setting.dataset.check(setting.ids)
    return find_identified(identify(setting), folder)


def find_identified(identity: Identity, folder: Path) -> tuple[Record, Path] | None:
    """As `find`, by what `identify` says."""
    record = find_record(identity, folder)
    if not record:
        return None
    from evaluation.run.checkpoint import clear

    clear(identity, folder)
    return record, folder / identity.file_name


def run(setting: Setting, folder: Path, *, save_every: float = 120.0) -> tuple[Record, Path]:
    """Evaluate and write the record into ``folder``; no record is written if anything fails."""
    (written,) = run_together([setting], folder, save_every=save_every)
    return written


def run_together(
    settings: Sequence[Setting], folder: Path, *, save_every: float = 120.0
) -> list[tuple[Record, Path]]:
    """As `run`, for settings that share a pass over the data.

    Every ``save_every`` seconds the state of the pass is written beside the records; the next call
    goes on from it.
    """
    prepare_folder(folder)
    for setting in settings:
        setting.dataset.check(setting.ids)
        warnings_of(setting)  # its mistakes too are told before
    from evaluation.measure.evaluate import evaluate_all
    from evaluation.run.checkpoint import (  # imports torch: mistakes are answered before
        States,
        clear,
    )

    identities = [identify(one) for one in settings]
    states = States(settings, identities, folder, save_every)
    with progress(title_of(settings), total=len(settings[0].ids)) as advance:
        results = evaluate_all(settings, advance, states=states)
    records = [make_record(*pair) for pair in zip(settings, results, strict=True)]
    if any(next(iter(record.scores.values())) is None for record in records):
        name = settings[0].dataset.card.name
        raise ValueError(f"{name}: nothing of the truth counts, all is void")
    written = []
    for record, identity in zip(records, identities, strict=True):
        written.append((record, write_record(record, folder)))
        clear(identity, folder)
    return written


def title_of(settings: Sequence[Setting]) -> str:
    """What a pass is called: its methods, or how many settings it has, and its data."""
    count, name = len(settings), settings[0].dataset.card.name
    return f"{method_name(settings[0]) if count == 1 else f'{count} settings'} on {name}"


def label(setting: Setting, folder: Path) -> None:
    """Label images without truth into ``folder``, and say where the labels are."""
    prepare_folder(folder)
    setting.dataset.check(setting.ids)
    _ = setting.asked  # without classes there is nothing to do: say so before torch is imported
    from evaluation.run.label_images import label_folder

    with progress(title_of([setting]), len(setting.ids)) as on:
        paths = label_folder(setting, folder, on)
    if setting.backbone.provenance.random:
        console.print("[bold red]RANDOM WEIGHTS: these labels mean nothing[/]")
    for path in paths:
        console.print(f"labels: {path}", highlight=False)
