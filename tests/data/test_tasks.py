"""What a card says that the truth is, and what its reader gives."""

import json

import numpy as np
import pytest
from official import IDS, LAYOUTS, lay, lay_openimages
from PIL import Image

from evaluation.data import Points, load_card, task_of
from evaluation.places import CARDS
from evaluation.prepare.layout import build

NAMES = sorted(path.stem for path in CARDS.glob("*.yaml"))
SAME_FILES = {"voc": "voc20", "context60": "context"}


def lay_any(root, name):
    """One image of a data set, and what its truth is read from."""
    files = SAME_FILES.get(name, name)
    if files in LAYOUTS:
        lay(root, files, IDS[files], np.array([[7, 8]], dtype=np.uint8))
    elif name == "openimages":
        lay_openimages(root, [("1e5", 0.5, 0.25, "/m/0bt9lr", "yes")], images=["1e5"])
    elif name == "coco_object":
        lay_instances(root)
    else:
        Image.new("RGB", (8, 6)).save(root / "a.png")


def lay_instances(root):
    classes = enumerate(load_card("coco_object").classes, start=1)
    content = {
        "images": [{"id": 7, "file_name": "7.jpg", "height": 6, "width": 8}],
        "annotations": [],
        "categories": [{"id": number, "name": name} for number, name in classes],
    }
    for folder in ("annotations", "val2017"):
        (root / "coco" / folder).mkdir(parents=True)
    (root / "coco/annotations/instances_val2017.json").write_text(json.dumps(content))
    Image.new("RGB", (8, 6)).save(root / "coco/val2017/7.jpg")


def kind_of(truth):
    if isinstance(truth, Points):
        return "points"
    return "masks" if isinstance(truth, np.ndarray) and truth.dtype.kind in "iu" else "none"


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_is_what_the_card_says(name, tmp_path):
    lay_any(tmp_path, name)
    dataset = build(name, tmp_path)
    sample = dataset[dataset.ids[0]]
    assert kind_of(sample.truth) == task_of(dataset) == dataset.card.task == load_card(name).task


@pytest.mark.parametrize("name", NAMES)
def test_every_reader_has_the_name_of_its_card(name, tmp_path):
    assert build(name, tmp_path).dataset == name


def test_the_task_is_known_without_files(tmp_path):
    """OpenImages' own card has the classes of a table, which is not there."""
    assert task_of(build("openimages", tmp_path / "nothing")) == "points"
