"""The real files of every data set that is here, through the same preparation as a whole set."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image
from pycocotools.coco import COCO

from evaluation.data import Hub
from evaluation.prepare import command
from evaluation.prepare.export import export_parquet
from evaluation.prepare.layout import build, survey
from evaluation.prepare.verify import take_census

DATA = REPOSITORY.parent / "shared" / "data"
SAMPLE = {
    "image": "coco/stuff_sample/images/{id}.jpg",
    "mask": "coco/stuff_sample/labels/{id}.png",
}
MASKS = {
    "voc": (DATA / "VOCdevkit/VOC2012/SegmentationClass", {}),
    "voc20": (DATA / "VOCdevkit/VOC2012/SegmentationClass", {}),
    "ade20k": (DATA / "ADEChallengeData2016/annotations/validation", {}),
    "coco_stuff": (DATA / "coco/stuff_sample/labels", SAMPLE),
    "coco_object_stuff": (DATA / "coco/stuff_sample/labels", SAMPLE),
}
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"there are no files in {DATA}")


def stored_pixels(folder):
    """Pixels by id, straight from the files."""
    files = [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))]
    return len(files), sum(np.bincount(mask.ravel(), minlength=256) for mask in files)


@pytest.mark.parametrize("name", MASKS)
def test_every_pair_is_read_and_every_pixel_counted(name):
    folder, changes = MASKS[name]
    dataset = build(name, DATA, changes)
    census = take_census(dataset)
    images, pixels = stored_pixels(folder)
    assert census.images == images == len(dataset.present)
    assert census.pixels.sum() == pixels.sum()
    first = {"voc": 0, "voc20": 1, "ade20k": 1, "coco_stuff": 0, "coco_object_stuff": 91}[name]
    label = 0
    found = pixels[first] if first != 91 else pixels[91:].sum()
    assert census.pixels[label] == found


def test_coco_object_is_drawn_as_by_pycocotools(capsys):
    """Another drawing of the same rule: pycocotools' own index and masks."""
    coco = COCO(str(DATA / "coco/annotations/instances_val2017.json"))
    capsys.readouterr()
    rank = {number: i for i, number in enumerate(sorted(coco.cats), start=1)}
    dataset = build("coco_object", DATA)
    assert len(dataset.ids) == 12
    for number in coco.getImgIds():
        sample = dataset[f"{number:012d}"]
        expected = np.zeros((sample.image.height, sample.image.width), dtype=np.uint8)
        for crowd in (True, False):
            for item in coco.loadAnns(coco.getAnnIds(imgIds=number, iscrowd=crowd)):
                expected[coco.annToMask(item) == 1] = rank[item["category_id"]]
        assert np.array_equal(sample.truth, expected)


def test_the_two_readings_of_the_stuff_maps_agree_on_things():
    """Label of COCO-Object = label of COCO-Stuff + 1 where there is a thing, else 0."""
    stuff, things = (build(name, DATA, SAMPLE) for name in ("coco_stuff", "coco_object_stuff"))
    for name in stuff.ids:
        labels = stuff[name].truth.astype(int)
        assert np.array_equal(things[name].truth, np.where(labels < 80, labels + 1, 0))


@pytest.mark.parametrize(
    ("name", "said"),
    [("voc", "24 of 1449"), ("ade20k", "24 of 2000"), ("coco_object", "12 of 5000")],
)
def test_a_partial_set_is_reported_and_nothing_is_written_there(name, said, capsys):
    before = sorted(DATA.iterdir())
    assert survey(build(name, DATA)).state == f"partial, {said}"
    command.prepare(name, DATA, download_mode="no", changes={})
    assert f"{said} images (partial)" in capsys.readouterr().out
    assert sorted(DATA.iterdir()) == before


@pytest.mark.parametrize("name", ["voc", "ade20k", "coco_object"])
def test_through_parquet_and_back(name, tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    pairs, path = build(name, DATA), tmp_path / "x.parquet"
    export_parquet(pairs, path)
    rows = Hub(dataset=name, repository=str(path), identifier="id", encoding="labels")
    assert rows.ids == tuple(pairs.ids)
    for sample_id in pairs.ids:
        ours, theirs = pairs[sample_id], rows[sample_id]
        assert np.array_equal(ours.truth, theirs.truth)
        assert ours.image.tobytes() == theirs.image.tobytes()


def test_the_manifest_tells_how_to_compare(tmp_path):
    for part in ("images", "annotations"):
        folder = tmp_path / "ADEChallengeData2016" / part
        folder.mkdir(parents=True)
        (folder / "validation").symlink_to(DATA / "ADEChallengeData2016" / part / "validation")
    command.prepare("ade20k", tmp_path, download_mode="no", changes={})
    manifest = json.loads(Path(tmp_path / "manifests/ade20k.json").read_text())
    images, pixels = stored_pixels(MASKS["ade20k"][0])
    assert manifest["images"] == images
    assert list(manifest["pixels"].values()) == [*pixels[1:151].tolist(), int(pixels[0])]
