"""Any data set as one parquet file with the bytes inside, which `Hub` reads back."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from evaluation.data.card import task_of
from evaluation.data.on_disk import on_disk
from evaluation.data.sample import Dataset, Sample
from evaluation.whole_files import write_whole

if TYPE_CHECKING:
    from PIL import Image

ROWS_AT_ONCE = 64


def export_parquet(dataset: Dataset, path: Path) -> int:
    """Write ``id``, ``image`` and ``mask`` of every sample; returns how many.

    Images keep the bytes of their files (PNG if they have none); masks are PNG of labels, read
    back with ``encoding=labels``. The file is there whole or not at all. ``Dataset.to_parquet``
    would write paths instead of bytes.
    Raises ValueError for a data set without masks, and what reading a sample raises.
    """
    task = task_of(dataset)
    if task != "masks":
        raise ValueError(f"export: {dataset.card.name} has the task {task}, expected masks")
    write_whole(path, lambda stream: _write(dataset, stream))
    return len(dataset.ids)


def _write(dataset: Dataset, stream: BinaryIO) -> None:
    import pyarrow.parquet
    from datasets import Features, Value
    from datasets import Image as ImageFeature

    schema = Features(id=Value("string"), image=ImageFeature(), mask=ImageFeature()).arrow_schema
    with pyarrow.parquet.ParquetWriter(stream, schema) as writer:
        for rows in _in_groups(_row(dataset, name) for name in dataset.ids):
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))


def _row(dataset: Dataset, sample_id: str) -> dict[str, Any]:
    from PIL import Image

    sample = dataset[sample_id]
    truth = _png(Image.fromarray(sample.truth.astype("uint8")))
    return {
        "id": sample_id,
        "image": {"bytes": _encoded(dataset, sample), "path": None},
        "mask": {"bytes": truth, "path": None},
    }


def _encoded(dataset: Dataset, sample: Sample) -> bytes:
    """The image as its file has it, or as PNG."""
    if on_disk(dataset):
        return dataset.image_path(sample.id).read_bytes()
    return _png(sample.image)


def _png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def _in_groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    for row in rows:
        group.append(row)
        if len(group) == ROWS_AT_ONCE:
            yield group
            group = []
    if group:
        yield group
