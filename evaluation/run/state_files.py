"""The files that a pass keeps its counts in, and when they are no longer needed."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from evaluation.records.checked import CheckedSetting

STALE = 3600.0  # seconds after which what a killed process left half written is removed


def state_path(checked: CheckedSetting, folder: Path) -> Path:
    """The state file of one setting."""
    return folder / f".{checked.key}.state"


def clear(checked: CheckedSetting, folder: Path) -> None:
    """Remove the state of a setting whose record is written, unless somebody went on since."""
    state, record = state_path(checked, folder), folder / checked.file_name
    with suppress(FileNotFoundError):
        if state.stat().st_mtime <= record.stat().st_mtime:
            state.unlink()
    for part in folder.glob(f".{state.name}.*.part"):
        _remove_if_stale(part)


def _remove_if_stale(part: Path) -> None:
    with suppress(FileNotFoundError):  # its process may just have renamed it
        if time.time() - part.stat().st_mtime > STALE:
            part.unlink()
