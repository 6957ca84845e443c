"""A data set as one parquet file: it comes back the same, or there is no file."""

import datasets
import numpy as np
import pytest
from official import IDS, RULES, lay
from PIL import Image

from evaluation.data import Folder, Hub, Toy, ToyPoints
from evaluation.prepare.export import export_parquet
from evaluation.prepare.layout import build


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def same(left, right):
    assert tuple(left.ids) == tuple(right.ids)
    for name in left.ids:
        ours, theirs = left[name], right[name]
        assert (ours.id, ours.image.mode) == (theirs.id, theirs.image.mode)
        assert np.array_equal(np.array(ours.image), np.array(theirs.image))
        assert np.array_equal(ours.truth, theirs.truth)


def test_drawn_scenes_come_back_the_same(tmp_path):
    toy = Toy(scenes=3, size=32)
    assert export_parquet(toy, tmp_path / "toy.parquet") == 3
    path = str(tmp_path / "toy.parquet")
    same(toy, Hub(dataset="toy", repository=path, identifier="id", encoding="labels"))


@pytest.mark.parametrize("name", ["voc20", "coco_stuff", "cityscapes"])
def test_pairs_come_back_the_same(name, tmp_path):
    """The bytes are inside: the folder can be gone."""
    stored = np.array([list(RULES[name, "official"])] * 3, dtype=np.uint8)
    lay(tmp_path / "root", name, IDS[name], stored)
    pairs = build(name, tmp_path / "root")
    export_parquet(pairs, tmp_path / "x.parquet")
    path = str(tmp_path / "x.parquet")
    same(pairs, Hub(dataset=name, repository=path, identifier="id", encoding="labels"))
    jpeg = pairs.image_path(IDS[name]).read_bytes()
    assert jpeg in (tmp_path / "x.parquet").read_bytes()


def test_an_export_that_fails_leaves_nothing(tmp_path):
    lay(tmp_path, "ade20k", IDS["ade20k"], np.array([[151]], dtype=np.uint8))
    with pytest.raises(ValueError, match="has the label 151"):
        export_parquet(build("ade20k", tmp_path), tmp_path / "x.parquet")
    assert not list(tmp_path.glob("*x.parquet*"))


def test_an_export_that_fails_leaves_the_older_one(tmp_path):
    lay(tmp_path, "ade20k", IDS["ade20k"], np.array([[151]], dtype=np.uint8))
    (tmp_path / "x.parquet").write_bytes(b"older")
    with pytest.raises(ValueError, match="has the label 151"):
        export_parquet(build("ade20k", tmp_path), tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").read_bytes() == b"older"


def test_what_has_no_masks_is_refused(tmp_path):
    Image.new("RGB", (4, 2)).save(tmp_path / "a.png")
    for dataset, task in (
        (ToyPoints(scenes=1, size=32), "points"),
        (Folder(root=str(tmp_path)), "none"),
    ):
        said = f"^export: {dataset.dataset} has the task {task}, expected masks$"
        with pytest.raises(ValueError, match=said):
            export_parquet(dataset, tmp_path / "x.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
