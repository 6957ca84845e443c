"""The files that a pass keeps its counts in, and when they are no longer needed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from evaluation.records.checked import CheckedSetting


def state_path(checked: CheckedSetting, folder: Path, part: int | None = None) -> Path:
    """The state file of one setting; of a process that counts beside others, with its number."""
    return folder / f".{checked.key}{'' if part is None else f'.{part}'}.state"


def part_paths(checked: CheckedSetting, folder: Path) -> list[Path]:
    """The state files that processes beside the first have left, by their numbers."""
    found = folder.glob(f".{checked.key}.*.state")
    return sorted(found, key=lambda path: (len(path.name), path.name))


def image_path(key: str, folder: Path, place: int) -> Path:
    """The file of the counts of one image, by its place among the samples of a setting."""
    return folder / f".{key}.images" / f"{place:07}.npz"


def clear(checked: CheckedSetting, folder: Path) -> None:
    """Remove the state of a setting whose record is written, unless somebody went on since."""
    record = folder / checked.file_name
    for state in _files(checked, folder):
        with suppress(OSError):  # there is none, or it stays: the record is newer, and counts
            if state.stat().st_mtime <= record.stat().st_mtime:
                state.unlink()
    _remove_folder(checked, folder)


def forget(checked: CheckedSetting, folder: Path) -> None:
    """Remove the state of a setting: whoever does it again begins from nothing."""
    for state in _files(checked, folder):
        with suppress(OSError):
            state.unlink()
    _remove_folder(checked, folder)


def _files(checked: CheckedSetting, folder: Path) -> list[Path]:
    """The counts before the images: they say that these are done."""
    images = image_path(checked.key, folder, 0).parent
    return [state_path(checked, folder), *part_paths(checked, folder), *images.glob("*")]


def _remove_folder(checked: CheckedSetting, folder: Path) -> None:
    with suppress(OSError):  # there is none, or it is not empty
        image_path(checked.key, folder, 0).parent.rmdir()
