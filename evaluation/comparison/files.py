"""The counts by image of two records, if both have them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluation.records.image_counts import ImageCounts, image_file, read_image_counts
from evaluation.records.record import Record


def read_both(
    pairs: Sequence[tuple[Record, Path]],
) -> tuple[tuple[ImageCounts, ImageCounts] | None, list[Path]]:
    """The counts of two records, or None, and the files that are not there.

    Raises ValueError for a file that is broken or not its record's.
    """
    lacking = [image_file(path) for _, path in pairs if not image_file(path).exists()]
    if lacking:
        return None, lacking
    first, second = (read_image_counts(record, image_file(path)) for record, path in pairs)
    return (first, second), []
