"""Trackers of experiments: told of records that are already written, never needed for a result."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from evaluation.console import note
from evaluation.records.names import called
from gem.options import options

if TYPE_CHECKING:
    from evaluation.records.record import Record
    from evaluation.run.job import Done
    from evaluation.setting import Setting


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
    done: Sequence[Done],
    *,
    group: str = "",
) -> None:
    """Log records that are written, each file once, with a picture of what their settings predict.

    What goes wrong there costs one line only.
    """
    once = {one.path: one for one in done}.values()
    if not once or isinstance(tracker, NoTracker):
        return
    records = [(one.record, one.path) for one in once]
    try:
        with tempfile.TemporaryDirectory(prefix="gem-panel-") as folder:
            settings = {called(one.record.names): one.setting for one in once}
            tracker.log(records, group=group, panel=_draw(settings, Path(folder) / "panel.png"))
    except Exception as error:  # noqa: BLE001 a tracker is foreign code on a foreign network
        said = str(error).partition("\n")[0].strip(" .") or type(error).__name__
        name = type(tracker).__name__.lower()
        note(f"{name}: not logged: {said}; the records are written")


def _draw(settings: Mapping[str, Setting], path: Path) -> Path | None:
    from evaluation.pictures.predictions import draw_panel

    return draw_panel(settings, path)
