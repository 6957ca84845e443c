"""The files that a pass keeps its counts in, and when they are no longer needed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from evaluation.records.checked import CheckedSetting


def state_path(checked: CheckedSetting, folder: Path) -> Path:
    """The state file of one setting."""
    return folder / f".{checked.key}.state"


def clear(checked: CheckedSetting, folder: Path) -> None:
    """Remove the state of a setting whose record is written, unless somebody went on since."""
    state, record = state_path(checked, folder), folder / checked.file_name
    with suppress(OSError):  # there is none, or it stays: the record is newer, and counts
        if state.stat().st_mtime <= record.stat().st_mtime:
            state.unlink()
