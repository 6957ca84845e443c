"""The integer counts of a record by image, in one file beside it: NAME.images.npz.

Shapes: n images, k labels, c classes, p pairs of an image and a class.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from evaluation.records.npz_file import Arrays, read_arrays
from evaluation.records.record import IMAGES, Record
from evaluation.setting.identity import fingerprint
from evaluation.whole_files import write_whole

if TYPE_CHECKING:
    from jaxtyping import Int64

    Counts = Int64[np.ndarray, "..."]

SCHEMA = 1
UNLIKE = ("code",)  # hashes that may be others': the sums say whether the numbers are the same


@dataclass(frozen=True)
class ImageCounts:
    """What the images of a record count, in the order of ``ids``.

    arrays, for masks: ``matrix`` [n, k, 3] has the pixels of each label that are right, those that
    are predicted, and those of the truth; ``foreground`` [n, c, 3] the same among the classes
    alone, and ``heatmap`` [n, c, 2] intersection and union of the heat maps, where the record has
    them. For points ``rows`` [p, 6]: image, class, TP, FN, FP, TN, where image is the place of the
    id in ``ids``. Their sums over the images are the counts of the record.
    """

    ids: tuple[str, ...]
    arrays: Mapping[str, Counts]


def image_file(path: Path) -> Path:
    """Where the counts by image of a record's file lie."""
    return path.with_name(path.stem + IMAGES)


def margins(matrix: Int64[np.ndarray, "k m"]) -> Int64[np.ndarray, "k 3"]:
    """Of a confusion matrix: pixels that are right, predicted, true; by label.

    A column behind those of the labels, of pixels without a prediction, counts for the truth.
    """
    return np.stack(
        [matrix.diagonal(), matrix.sum(axis=0)[: len(matrix)], matrix.sum(axis=1)], axis=1
    )


def write_image_counts(counts: ImageCounts, record: Record, path: Path) -> None:
    """Write the file of a record; it is there whole or not at all.

    Raises ValueError if they do not sum to the counts of the record.
    """
    _check_sums(counts.arrays, record)
    about = json.dumps({"schema": SCHEMA, "key": record.key, "hashes": record.hashes})

    def write(stream: BinaryIO) -> None:
        arrays: dict[str, Any] = {"about": np.array(about), "ids": np.array(counts.ids)}
        np.savez_compressed(stream, **arrays | dict(counts.arrays))

    write_whole(path, write)


def read_image_counts(record: Record, path: Path) -> ImageCounts:
    """The counts by image of a record, from its file.

    Raises FileNotFoundError if there is none, ValueError, one sentence that names the file, if it
    is broken, or of another evaluation.
    """
    try:
        return _checked(read_arrays(path), record)
    except ValueError as error:
        raise ValueError(f"{path} is not the counts by image of its record: {error}") from error


def _checked(found: Arrays, record: Record) -> ImageCounts:
    try:
        about = json.loads(str(found.text("about", ())))
        schema, key, hashes = (about[name] for name in ("schema", "key", "hashes"))
        others = [name for name in sorted(record.hashes) if hashes[name] != record.hashes[name]]
    except (KeyError, TypeError, RecursionError, json.JSONDecodeError) as error:
        raise ValueError("it does not say of which record it is") from error
    if schema != SCHEMA:
        raise ValueError(f"expected schema {SCHEMA}, found {str(schema)[:40]!r}")
    if key != record.key:
        raise ValueError(f"they are of the record {str(key)[:40]!r}, expected {record.key}")
    if others := [name for name in others if name not in UNLIKE]:
        raise ValueError(f"they are of other {others[0]}")
    ids = tuple(map(str, found.text("ids", (record.images,)).tolist()))
    if fingerprint(list(ids)) != record.hashes.get("samples"):
        raise ValueError("they are of other samples")
    arrays = {name: found.counts(name, shape) for name, shape in _shapes(record).items()}
    _check_sums(arrays, record)
    return ImageCounts(ids, arrays)


def _shapes(record: Record) -> dict[str, tuple[int | None, ...]]:
    """The arrays that the file of a record has, and their shapes."""
    if {"positive", "all"} <= record.counts.keys():
        return {"rows": (None, 6)}
    if "matrix" not in record.counts:
        raise ValueError("the record counts neither masks nor points")
    shapes: dict[str, tuple[int | None, ...]] = {}
    for name, last in (("matrix", 3), ("foreground", 3), ("heatmap", 2)):
        if name in record.counts:
            shapes[name] = (record.images, len(record.counts[name]), last)
    return shapes


def _check_sums(arrays: Mapping[str, Counts], record: Record) -> None:
    """Raise ValueError if the counts of the images are not the record's when they are added."""
    for name, found, expected in _sums(arrays, record):
        if found.shape != expected.shape or (found != expected).any():
            raise ValueError(f"their {name} does not sum to the counts of the record")
    if "rows" in arrays and (arrays["rows"][:, 0] >= record.images).any():
        raise ValueError("their rows are of images that the record has not")


def _sums(arrays: Mapping[str, Counts], record: Record) -> Iterator[tuple[str, Counts, Counts]]:
    """Name, sum over the images, and what the record has; rows with a yes-point also alone."""
    if "rows" in arrays:
        rows = arrays["rows"]
        for kind, chosen in {"positive": rows[rows[:, 2] + rows[:, 3] > 0], "all": rows}.items():
            counted = np.array(record.counts[kind], dtype=np.int64).reshape(-1, 5)
            yield "rows", _class_sums(chosen), counted
        return
    for name, array in arrays.items():
        counted = np.array(record.counts[name], dtype=np.int64)
        if name == "matrix" and "unpredicted" in record.counts:
            counted = np.column_stack([counted, record.counts["unpredicted"]])
        yield name, array.sum(axis=0), counted if name == "heatmap" else margins(counted)


def _class_sums(rows: Int64[np.ndarray, "p 6"]) -> Int64[np.ndarray, "c 5"]:
    """`evaluation.metrics.points.class_sums`, without torch."""
    classes, place = np.unique(rows[:, 1], return_inverse=True)
    sums = np.zeros((len(classes), 4), dtype=np.int64)
    np.add.at(sums, place, rows[:, 2:])
    return np.column_stack([classes, sums])
