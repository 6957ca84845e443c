"""Trackers of experiments: told of records that are already written, never needed for a result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from evaluation.console import console
from gem.options import options

if TYPE_CHECKING:
    from evaluation.records import Record


class Tracker(Protocol):
    """Where records are shown besides the console; called by `track` only."""

    def log(
        self, records: Sequence[tuple[Record, Path]], *, group: str = "", panel: Path | None = None
    ) -> None:
        """Log records with their files, in the order of the sweep; return in bounded time.

        group: the name of the sweep. panel: a picture of predictions. May raise anything.
        """


@options
class NoTracker:
    """Tracks nothing."""

    def log(
        self, records: Sequence[tuple[Record, Path]], *, group: str = "", panel: Path | None = None
    ) -> None:
        """Do nothing."""


def track(
    tracker: Tracker,
    records: Sequence[tuple[Record, Path]],
    *,
    group: str = "",
    panel: Path | None = None,
) -> None:
    """Log records that are written, each file once; what goes wrong there costs one line only."""
    once = list({path: (record, path) for record, path in records}.values())
    if not once:
        return
    try:
        tracker.log(once, group=group, panel=panel)
    except Exception as error:  # noqa: BLE001 a tracker is foreign code on a foreign network
        said = str(error).partition("\n")[0].strip(" .") or type(error).__name__
        name = type(tracker).__name__.lower()
        console.print(f"[bold yellow]note:[/] {name}: not logged:", end=" ")
        console.print(f"{said}; the records are written", markup=False, highlight=False)
