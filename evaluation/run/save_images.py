"""The counts of each image beside the record: ``save=images``.

While a pass runs, each image has a hidden file, so that whoever is killed goes on, and many
processes write at once. At the end they become one file (`evaluation.records.image_counts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from evaluation.console import say
from evaluation.measure import ByTask
from evaluation.measure.batches import Prepared
from evaluation.measure.counting import Watch
from evaluation.measure.finite import CheckedImage
from evaluation.metrics.accumulator import count_together
from evaluation.records.checked import CheckedSetting
from evaluation.records.image_counts import (
    ImageCounts,
    image_file,
    margins,
    read_image_counts,
    write_image_counts,
)
from evaluation.records.npz_file import read_arrays
from evaluation.records.record import Record
from evaluation.run.state_files import forget, image_path
from evaluation.setting import Setting
from evaluation.setting.sharing import bare
from evaluation.whole_files import write_whole

if TYPE_CHECKING:
    from torch import Tensor

    from gem.vocabulary import Queries

SHAPES: dict[str, tuple[int | None, ...]] = {
    "matrix": (None, 3), "foreground": (None, 3), "heatmap": (None, 2), "rows": (None, 6),
}  # fmt: skip


class ImageWriter:
    """Counts each image once more by itself, with the code that counts the record.

    The sums over all images must be the counts of the record: otherwise neither is written.
    """

    kind = "images"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def watcher(self, settings: Sequence[CheckedSetting]) -> Callable[[], Watch]:
        """What makes `watch`. Raises ValueError for another metric than the paper's."""
        for one in settings:
            if not isinstance(one.setting.metric, ByTask):
                name = type(one.setting.metric).__name__.lower()
                raise ValueError(f"save=images: expected metric=by_task, found {name}")  # noqa: TRY004
        return partial(self.watch, [replace(one, setting=bare(one.setting)) for one in settings])

    def watch(self, settings: Sequence[CheckedSetting]) -> Watch:
        """What each image of a pass is shown to."""
        keys = {one.setting: one.key for one in settings}
        places = {name: place for place, name in enumerate(settings[0].setting.ids)}

        def write(setting: Setting, queries: Queries, image: CheckedImage, item: Prepared) -> None:
            counted = setting.metric.accumulator(setting, queries)
            count_together([counted], image, item.truth)
            arrays = by_image(counted.state())
            image.check()
            path = image_path(keys[setting], self.folder, places[item.id])
            write_whole(path, partial(_save, arrays=arrays))

        return write

    def finish(self, settings: Sequence[CheckedSetting], records: Sequence[Record]) -> None:
        """Merge the files of the images into one beside each record.

        Raises ValueError if a file was removed or changed since it was written, or if they do not
        sum to the counts of the record; the setting is then counted from the beginning next time.
        """
        for checked, record in zip(settings, records, strict=True):
            path = image_file(self.folder / checked.file_name)
            try:
                write_image_counts(self._merged(checked, record), record, path)
            except (ValueError, FileNotFoundError) as error:
                forget(checked, self.folder)
                raise ValueError(f"{path} is not written: {error}; evaluate again") from error
            say("images: ", path)

    def has(self, checked: CheckedSetting, record: Record) -> bool:
        """Whether the file beside a record is there, and is its own."""
        try:
            read_image_counts(record, image_file(self.folder / checked.file_name))
        except (ValueError, OSError):
            return False
        return True

    def _merged(self, checked: CheckedSetting, record: Record) -> ImageCounts:
        ids = checked.setting.ids
        names = [name for name in SHAPES if name in record.counts] or ["rows"]
        parts: dict[str, list[np.ndarray[Any, Any]]] = {name: [] for name in names}
        for place in range(len(ids)):
            found = read_arrays(image_path(checked.key, self.folder, place))
            for name in names:
                parts[name].append(found.counts(name, SHAPES[name]))
        if names == ["rows"]:
            return ImageCounts(ids, {"rows": _numbered(parts["rows"])})
        return ImageCounts(ids, {name: np.stack(found) for name, found in parts.items()})


def by_image(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """What is kept of the counts of one image: of a confusion matrix its `margins`."""
    found = {name: part.cpu().numpy() for name, part in state.items()}
    return {
        name: margins(part) if name in ("matrix", "foreground") else part
        for name, part in found.items()
    }


def _numbered(parts: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """Rows of all images; the place of an image stands for its number."""
    rows = np.concatenate([np.zeros((0, 6), dtype=np.int64), *parts])
    rows[:, 0] = np.repeat(np.arange(len(parts)), [len(one) for one in parts])
    return rows


def _save(stream: BinaryIO, *, arrays: dict[str, Any]) -> None:
    np.savez(stream, **arrays)
