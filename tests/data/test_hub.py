"""Data sets in the format of Hugging Face: any form of files, ids and never luma, no waiting."""

import json
import struct
import time
from io import BytesIO

import datasets
import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from evaluation.data import Hub
from evaluation.data.on_disk import fingerprint_data

LABELS = np.array([[0, 1, 20, 255], [15, 15, 0, 255]], dtype=np.uint8)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def palette(labels):
    mask = Image.fromarray(labels, mode="P")
    mask.putpalette(np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tobytes())
    return mask


def png(image):
    buffer = BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def table(masks=None, mask=None, **columns):
    masks = masks or [palette(LABELS), palette(LABELS[::-1].copy())]
    image = Image.fromarray(np.full((2, 4, 3), 7, dtype=np.uint8))
    rows = {
        "picture": [{"bytes": png(image), "path": None}] * len(masks),
        "annotation": [{"bytes": png(m), "path": None} for m in masks],
        **columns,
    }
    kinds = {"picture": datasets.Image(), "annotation": mask or datasets.Image()}
    kinds |= {key: datasets.Value("string") for key in columns}
    return datasets.Dataset.from_dict(rows, features=datasets.Features(kinds))


def hub(path, **changes):
    return Hub(dataset="voc", repository=str(path), image="picture", mask="annotation", **changes)


def as_parquet(rows, folder):
    rows.to_parquet(folder / "rows.parquet")
    return folder / "rows.parquet"


def test_other_rows_with_the_same_ids_are_other_data(tmp_path):
    found = []
    for name, masks in (("a", None), ("b", [palette(LABELS.repeat(9, 0))] * 2), ("a", None)):
        (tmp_path / name).mkdir(exist_ok=True)
        rows = hub(as_parquet(table(masks), tmp_path / name))
        found.append(fingerprint_data(rows, rows.ids))
    assert found[0] == found[2] != found[1]


def as_arrow_folder(rows, folder):
    rows.save_to_disk(folder / "saved")
    return folder / "saved"


def as_arrow_splits(rows, folder):
    datasets.DatasetDict(train=rows).save_to_disk(folder / "splits")
    return folder / "splits"


def as_parquet_folder(rows, folder):
    (folder / "data").mkdir()
    rows.to_parquet(folder / "data" / "train-00000-of-00001.parquet")
    return folder / "data"


@pytest.mark.parametrize("write", [as_parquet, as_arrow_folder, as_arrow_splits, as_parquet_folder])
@pytest.mark.parametrize("feature", [None, "L", "RGB"])
def test_masks_are_ids_whatever_the_feature_says(write, feature, tmp_path):
    """Image(mode="L") on a palette PNG would give luma."""
    rows = table(mask=datasets.Image(mode=feature) if feature else None, key=["a", "b"])
    data = hub(write(rows, tmp_path), identifier="key")
    assert data.ids == ("a", "b")
    data.check(data.ids)
    assert np.array_equal(data["a"].truth, LABELS)
    assert np.array_equal(data["b"].truth, LABELS[::-1])
    assert data["a"].image.size == (4, 2)


def test_an_image_folder(tmp_path):
    """metadata.jsonl with two file columns."""
    Image.new("RGB", (4, 2)).save(tmp_path / "0.png")
    palette(LABELS).save(tmp_path / "0_mask.png")
    line = {"image_file_name": "0.png", "mask_file_name": "0_mask.png"}
    (tmp_path / "metadata.jsonl").write_text(json.dumps(line) + "\n")
    data = Hub(dataset="voc", repository=str(tmp_path))
    assert data.ids == ("00000000",)
    assert np.array_equal(data["00000000"].truth, LABELS)


def test_a_label_shift(tmp_path):
    """A repository that counts ADE20K from 0."""
    mask = Image.fromarray(np.array([[0, 149, 255, 3]] * 2, dtype=np.uint8))
    path = as_parquet(table(masks=[mask]), tmp_path)
    shifted = Hub(
        dataset="ade20k", repository=str(path), image="picture", mask="annotation", shift=1
    )
    assert shifted["00000000"].truth[0].tolist() == [0, 149, 255, 3]
    unshifted = Hub(dataset="ade20k", repository=str(path), image="picture", mask="annotation")
    with pytest.raises(ValueError, match="annotation of 00000000 has the label 255, expected 1 to"):
        unshifted["00000000"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mask": "label"}, "dataset.mask=label: no such column, there are picture, annotation"),
        ({"identifier": "name"}, "dataset.identifier=name: no such column"),
    ],
)
def test_columns_that_are_not_there(changes, said, tmp_path):
    path = as_parquet(table(), tmp_path)
    fields = {"image": "picture", "mask": "annotation"} | changes
    with pytest.raises(ValueError, match=said):
        Hub(dataset="voc", repository=str(path), **fields).ids  # noqa: B018


def test_ids_that_are_not_unique(tmp_path):
    path = as_parquet(table(key=["a", "a"]), tmp_path)
    with pytest.raises(
        ValueError, match=r"identifier=key: the id 'a' is there 2 times, expected once$"
    ):
        hub(path, identifier="key").ids  # noqa: B018


def test_masks_of_another_size_or_of_colours(tmp_path):
    masks = [Image.fromarray(LABELS.T.copy()), Image.new("RGB", (4, 2))]
    data = hub(as_parquet(table(masks=masks), tmp_path))
    with pytest.raises(ValueError, match="annotation of 00000000 is 4x2 but its image is 2x4"):
        data["00000000"]
    with pytest.raises(ValueError, match="annotation of 00000001 cannot be read as a mask: it is"):
        data["00000001"]


@pytest.mark.parametrize("column", ["picture", "annotation"])
@pytest.mark.parametrize("cell", [None, {"bytes": None, "path": None}])
def test_cells_that_are_empty(column, cell, tmp_path):
    rows = table().with_format("arrow")[:].to_pylist()
    rows[1][column] = cell
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    data = hub(tmp_path / "rows.parquet")
    with pytest.raises(ValueError, match=f"^{column} of 00000001 is empty, expected an image$"):
        data["00000001"]


def test_a_column_of_something_else(tmp_path):
    path = as_parquet(datasets.Dataset.from_dict({"picture": [1], "annotation": [2]}), tmp_path)
    with pytest.raises(ValueError, match=r"^dataset.image=picture: the column holds Value\('int64"):
        hub(path).ids  # noqa: B018


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["a", None], "dataset.identifier=key: row 1 has None, expected text or a whole number"),
        (["a", "../b"], "dataset.identifier=key: the id '../b' cannot be the name of a file in a"),
        (["a", ""], "dataset.identifier=key: the id '' cannot be the name of a file in a folder"),
    ],
)
def test_ids_that_are_no_names(ids, said, tmp_path):
    data = hub(as_parquet(table(key=ids), tmp_path), identifier="key")
    with pytest.raises(ValueError, match=f"^{said}"):
        data.ids  # noqa: B018


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "dataset_dict.json", "state.json"])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"{}", b"[[", b"\xff"])
def test_tables_that_are_broken(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    path = tmp_path if name.endswith("json") else tmp_path / name
    with pytest.raises(ValueError, match=f"^dataset.repository={path} cannot be loaded: "):
        hub(path).ids  # noqa: B018


def test_damaged_offsets_do_not_end_the_process(tmp_path):
    """pyarrow trusts them, and ended it."""
    path = next(as_arrow_folder(table(key=["a", "b"]), tmp_path).glob("*.arrow"))
    content, offsets = path.read_bytes(), struct.pack("<3i", 0, 1, 2)
    assert offsets in content
    path.write_bytes(content.replace(offsets, struct.pack("<3i", 0, 2**30, 2)))
    data = hub(path.parent, identifier="key")
    with pytest.raises(ValueError, match=r"saved cannot be loaded: .*[Oo]ffset"):
        data.ids  # noqa: B018


def test_no_rows(monkeypatch):
    """Most tables without rows the library itself refuses; one with a damaged footer it gave."""
    monkeypatch.setattr("evaluation.data.hub._load", lambda *_, **__: table().select([]))
    with pytest.raises(ValueError, match=r"^dataset.repository=x has no rows$"):
        hub("x").ids  # noqa: B018


def test_a_row_that_would_fill_the_memory(tmp_path, monkeypatch):
    data = hub(as_parquet(table(), tmp_path))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3)  # of 8
    with pytest.raises(
        ValueError, match=r"picture of 00000000 cannot be read as an image: .* bomb"
    ):
        data["00000000"]


@pytest.mark.parametrize("repository", ["somebody/no-such-set", "no/such.parquet"])
def test_offline_answers_at_once(repository):
    start = time.perf_counter()
    with pytest.raises((ValueError, ConnectionError), match=f"dataset.repository={repository}"):
        Hub(dataset="voc", repository=repository).ids  # noqa: B018
    assert time.perf_counter() - start < 5


def test_a_hub_that_cannot_be_reached(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    start = time.perf_counter()
    with pytest.raises(ConnectionError, match="cannot be reached"):
        Hub(dataset="voc", repository="somebody/no-such-set").ids  # noqa: B018
    assert time.perf_counter() - start < 5
