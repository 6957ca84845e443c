"""COCO-Object from the instance file: what lies over what, and files that are broken."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from evaluation.data import load_card
from evaluation.prepare.layout import build

SIZE = (6, 8)
FILE = "coco/annotations/instances_val2017.json"
GAPS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
NUMBERS = [i for i in range(1, 91) if i not in GAPS]


def box(left, top, right, bottom):
    """A polygon that covers whole pixels."""
    return [[left, top, right, top, right, bottom, left, bottom]]


def rectangle(rows, columns):
    filled = np.zeros(SIZE, dtype=np.uint8)
    filled[rows, columns] = 1
    return filled


def compressed(filled):
    runs = coco_mask.encode(np.asfortranarray(filled))
    return {"size": runs["size"], "counts": runs["counts"].decode()}


def uncompressed(filled):
    flat, counts, value = filled.T.ravel(), [0], 0
    for pixel in flat:
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return {"size": list(SIZE), "counts": counts}


def annotation(number, category, shape, crowd=0):
    return {
        "id": number, "image_id": 7, "category_id": category, "segmentation": shape,
        "iscrowd": crowd, "area": 1, "bbox": [0, 0, 1, 1],
    }  # fmt: skip


def write(root, annotations, *, names=None, size=SIZE, images=1):
    card = load_card("coco_object")
    categories = [
        {"id": number, "name": name, "supercategory": "x"}
        for number, name in zip(NUMBERS, names or card.classes, strict=True)
    ]
    listed = [
        {"id": 7 + i, "file_name": f"{7 + i:012d}.jpg", "height": size[0], "width": size[1]}
        for i in range(images)
    ]
    (root / FILE).parent.mkdir(parents=True, exist_ok=True)
    content = {"images": listed, "annotations": annotations, "categories": categories}
    (root / FILE).write_text(json.dumps(content))
    (root / "coco/val2017").mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (SIZE[1], SIZE[0])).save(root / "coco/val2017/000000000007.jpg")
    return replace(build("coco_object", root), missing="refuse")


def test_later_instances_lie_over_earlier_ones_and_crowds_under_all(tmp_path):
    shapes = [
        annotation(1, 1, box(0, 0, 4, 4)),
        annotation(2, 90, compressed(rectangle(slice(2, 6), slice(2, 6)))),
        annotation(3, 3, uncompressed(rectangle(slice(0, 6), slice(0, 8))), crowd=1),
    ]
    dataset = write(tmp_path, shapes)
    expected = np.full(SIZE, 3)
    expected[0:4, 0:4] = 1
    expected[2:6, 2:6] = 80  # category 90 is the 80th class
    dataset.check(dataset.ids)
    sample = dataset["000000000007"]
    assert sample.truth.tolist() == expected.tolist()
    assert sample.image.size == (8, 6)


def test_an_image_without_instances_is_all_background(tmp_path):
    assert not write(tmp_path, [])["000000000007"].truth.any()


def test_images_that_are_not_there(tmp_path):
    dataset = write(tmp_path, [], images=3)
    assert dataset.ids == ("000000000007", "000000000008", "000000000009")
    with pytest.raises(FileNotFoundError, match="2 of 3 images are missing; the first is "):
        dataset.check(dataset.ids)
    assert replace(dataset, missing="skip").ids == ("000000000007",)


def test_categories_of_something_else(tmp_path):
    names = [f"thing {i}" for i in range(80)]
    dataset = write(tmp_path, [], names=names)
    with pytest.raises(ValueError, match=r"instances_val2017.json has the categories thing 0, "):
        dataset.check(dataset.ids)


def test_an_image_of_another_size(tmp_path):
    dataset = write(tmp_path, [], size=(6, 9))
    with pytest.raises(ValueError, match="says 6x9 for the image 000000000007, which is 6x8"):
        dataset["000000000007"]


@pytest.mark.parametrize(
    "shape",
    [{"size": [3, 3], "counts": [9]}, {"counts": [48]}, None, box(0, 0, 4, 4)],
)
def test_annotations_that_cannot_be_drawn(shape, tmp_path):
    category = 1 if shape != box(0, 0, 4, 4) else 12
    dataset = write(tmp_path, [annotation(5, category, shape)])
    with pytest.raises(ValueError, match="the annotation 5 of the image 000000000007 cannot be"):
        dataset["000000000007"]


@pytest.mark.parametrize("text", ["", "[1, 2", '{"images": []}'])
def test_files_that_are_no_annotations(text, tmp_path):
    dataset = write(tmp_path, [])
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ValueError, match=r"instances_val2017.json"):
        replace(dataset).ids  # noqa: B018


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="the root is the folder that holds coco/"):
        build("coco_object", tmp_path).ids  # noqa: B018
