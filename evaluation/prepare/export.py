"""Any data set as one parquet file with the bytes inside, which `Hub` reads back."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.data.on_disk import on_disk
from evaluation.data.sample import Dataset, Points, Sample

if TYPE_CHECKING:
    from PIL import Image

ROWS_AT_ONCE = 64


def export_parquet(dataset: Dataset, path: Path) -> int:
    """Write ``id``, ``image`` and ``mask`` of every sample; returns how many.

    Images keep the bytes of their files (PNG if they have none); masks are PNG of labels, read
    back with ``encoding=labels``. The file is there whole or not at all. ``Dataset.to_parquet``
    would write paths instead of bytes.
    """
    import pyarrow.parquet
    from datasets import Features, Value
    from datasets import Image as ImageFeature

    features = Features(id=Value("string"), image=ImageFeature(), mask=ImageFeature())
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with pyarrow.parquet.ParquetWriter(part, features.arrow_schema) as writer:
            for rows in _in_groups(_row(dataset, name) for name in dataset.ids):
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=features.arrow_schema))
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return len(dataset.ids)


def _row(dataset: Dataset, sample_id: str) -> dict[str, Any]:
    from PIL import Image

    sample = dataset[sample_id]
    if isinstance(sample.truth, Points):
        # Not a programming error: the user named the wrong data set.
        raise ValueError(f"{dataset.card.name} has points, no masks to export")  # noqa: TRY004
    truth = _png(Image.fromarray(sample.truth.astype("uint8")))
    return {
        "id": sample_id,
        "image": {"bytes": _encoded(dataset, sample), "path": None},
        "mask": {"bytes": truth, "path": None},
    }


def _encoded(dataset: Dataset, sample: Sample) -> bytes:
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
