"""COCO-Object from the instance file: what lies over what, and files that are broken."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from drawn import save_turned
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask

from evaluation.data import load_card
from evaluation.data.coco_masks import draw_shape
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


BOX = box(0, 0, 4, 4)
NO_SHAPE = "expected polygons or run lengths"
NO_POLYGON = "expected an even number of finite values, 6 at least"
FAR = "more than 5 pixels outside of an image of 6x8 (height x width)"
OTHER = "are not those of an image of 48 pixels"
NO_CODE = "which is none of COCO's codes"
NAN, INFINITE = float("nan"), float("inf")


def runs(counts):
    return {"size": [6, 8], "counts": counts}


BROKEN = [
    ({"size": [3, 3], "counts": [9]},
     "its shape is of an image of [3, 3], expected [6, 8] [height, width]"),
    ({"counts": [48]}, f"its shape is {{'counts': [48]}}, {NO_SHAPE}"),
    (None, f"its shape is None, {NO_SHAPE}"),
    ([], f"its shape is [], {NO_SHAPE}"),
    ("abc", f"its shape is 'abc', {NO_SHAPE}"),
    ([1, 2, 3, 4, 5, 6], f"a polygon is 1, {NO_POLYGON}"),
    ([[0, 0, 4, 0, NAN, 4]], f"a polygon is [0, 0, 4, 0, nan, 4], {NO_POLYGON}"),
    ([[0, 0, 4, 0, 4, INFINITE]], f"a polygon is [0, 0, 4, 0, 4, inf], {NO_POLYGON}"),
    ([[0, 0, 4, 0, 4, 4, 2]], f"a polygon is [0, 0, 4, 0, 4, 4, 2], {NO_POLYGON}"),
    ([[0, 0, 4, 4]], f"a polygon is [0, 0, 4, 4], {NO_POLYGON}"),
    ([list("004044")], f"a polygon is ['0', '0', '4', '0', '4', '4'], {NO_POLYGON}"),
    ([[True] * 6], f"a polygon is [True, True, True, True, True, True], {NO_POLYGON}"),
    ([[0, 0, 4, 0, 4, 10**30]], f"a polygon is [0, 0, 4, 0, 4, {10**23}..., {NO_POLYGON}"),
    ([[0, 0, 13.5, 0, 4, 4]], f"a polygon reaches x = 13.5, {FAR}"),
    ([[0, 0, 4, 0, 4, -1e9]], f"a polygon reaches y = -1e+09, {FAR}"),
    (runs([-1, 49]), f"its run lengths [-1, 49] {OTHER}"),
    (runs([40]), f"its run lengths [40] {OTHER}"),
    (runs([2**62] * 4 + [48]), f"its run lengths [{2**62}, {2**62 // 10}... {OTHER}"),
    (runs([]), "its run lengths are [], expected whole numbers"),
    (runs(["48"]), "its run lengths are ['48'], expected whole numbers"),
    (runs("o"), f"its run lengths are 'o', {NO_CODE}"),
    (runs("\x7f~"), f"its run lengths are '\\x7f~', {NO_CODE}"),
    (runs("oooooooooo0"), f"its run lengths are 'oooooooooo0', {NO_CODE}"),
    (runs("05"), f"its run lengths [0, 5] {OTHER}"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "said"), BROKEN)
def test_annotations_that_cannot_be_drawn(shape, said, tmp_path):
    """Said before any time is spent; pycocotools would crash, or draw something."""
    dataset = write(tmp_path, [annotation(4, 1, BOX), annotation(5, 1, shape)])
    for use in (lambda: dataset.check(dataset.ids), lambda: dataset["000000000007"]):
        with pytest.raises(ValueError, match="cannot be drawn") as caught:
            use()
        where = "instances_val2017.json: the annotation 5 of the image 000000000007"
        assert str(caught.value) == f"{where} cannot be drawn: {said}"


def test_official_polygons_may_leave_their_image_a_little(tmp_path):
    dataset = write(tmp_path, [annotation(5, 1, [[-1.5, 0, 9.5, 0, 9.5, 7.2, -1.5, 7.2]])])
    dataset.check(dataset.ids)
    assert (dataset["000000000007"].truth == 1).all()


@given(seed=st.integers(0, 2**32), height=st.integers(1, 40), width=st.integers(1, 40))
def test_run_lengths_are_drawn_as_by_pycocotools(seed, height, width):
    rng = np.random.default_rng(seed)
    drawn = (rng.random((height, width)) < rng.random()).astype(np.uint8)
    code = coco_mask.encode(np.asfortranarray(drawn)) | {"size": [height, width]}
    assert np.array_equal(draw_shape(code, (height, width)), drawn)


def test_long_runs_are_drawn_as_by_pycocotools():
    drawn = np.zeros((3000, 2000), dtype=np.uint8)
    drawn[:, 7] = drawn[5:2900, 1500:] = 1
    code = coco_mask.encode(np.asfortranarray(drawn))
    assert np.array_equal(draw_shape(code, (3000, 2000)), drawn)


IMAGES = [{"id": 7, "file_name": "7.jpg", "height": 6, "width": 8}]
CATEGORIES = [{"id": 1, "name": "person"}]
ONE = [annotation(1, 1, BOX)]
NO_COCO = [
    ("", "invalid JSON: EOF while parsing a value at line 1 column 0"),
    ([], "input should be an object"),
    ({"annotations": None}, "annotations: input should be a valid array, found None"),
    ({"images": [IMAGES[0] | {"height": "6"}]},
     "images[0].height: input should be a valid integer, found '6'"),
    ({"images": [IMAGES[0] | {"height": 0}]},
     "images[0].height: input should be greater than or equal to 1, found 0"),
    ({"images": [{"id": 1, "height": 1, "width": 1}]}, "images[0].file_name: field required"),
    ({"annotations": [ONE[0] | {"iscrowd": 2}]},
     "annotations[0].iscrowd: input should be 0 or 1, found 2"),
]  # fmt: skip
LOST = [
    ({"images": []}, "there is no image"),
    ({"images": IMAGES * 2}, "the image id 7 is there twice, expected once"),
    ({"annotations": ONE * 2}, "the annotation id 1 is there twice, expected once"),
    ({"categories": CATEGORIES * 2}, "the category id 1 is there twice, expected once"),
    ({"annotations": [ONE[0] | {"image_id": 8}]},
     "the annotation 1 is of the image 8, which is not there"),
    ({"annotations": [ONE[0] | {"category_id": 12}]},
     "the annotation 1 is of the category 12, which is not there"),
    ({"images": [*IMAGES, IMAGES[0] | {"id": 8, "file_name": "x/7.png"}]},
     "the id '7' is there 2 times, expected once"),
    ({"images": [IMAGES[0] | {"file_name": ".."}]},
     "the id '..' cannot be the name of a file in a folder"),
    ({"images": [IMAGES[0] | {"file_name": "a\0.jpg"}]},
     "the id 'a\\x00' cannot be the name of a file in a folder"),
    ({"images": [IMAGES[0] | {"file_name": "/x/7.jpg"}]},
     "the file name '/x/7.jpg' is not one below a folder"),
    ({"images": [IMAGES[0] | {"file_name": "../7.jpg"}]},
     "the file name '../7.jpg' is not one below a folder"),
]  # fmt: skip
FILES = [(content, f" cannot be read as COCO instances: {said}") for content, said in NO_COCO]
FILES += [(content, f": {said}") for content, said in LOST]


@pytest.mark.parametrize(("content", "said"), FILES)
def test_files_that_are_no_annotations(content, said, tmp_path):
    dataset = write(tmp_path, [])
    if isinstance(content, dict):
        content = {"images": IMAGES, "annotations": [], "categories": CATEGORIES} | content
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ValueError, match=r"instances_val2017.json") as caught:
        replace(dataset).ids  # noqa: B018
    assert str(caught.value) == f"{tmp_path / FILE}{said}"


def test_brackets_without_end(tmp_path):
    """Python's own parser raises RecursionError."""
    dataset = write(tmp_path, [])
    (tmp_path / FILE).write_text("[" * 10**5)
    with pytest.raises(ValueError, match="cannot be read as COCO instances: invalid JSON: recurs"):
        replace(dataset).ids  # noqa: B018


def test_an_image_that_is_annotated_as_it_is_shown(tmp_path):
    """8 x 6 pixels are stored, 6 x 8 are shown and annotated."""
    dataset = write(tmp_path, [], size=(8, 6))
    save_turned(Image.new("RGB", (8, 6)), dataset.image_path("000000000007"))
    said = (
        "instances_val2017.json says 8x6 for the image 000000000007, which is 6x8 (height x "
        "width); its EXIF orientation 6 turns it when it is shown, but a truth belongs to the "
        "stored pixels"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        dataset["000000000007"]


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="the root is the folder that holds coco/"):
        build("coco_object", tmp_path).ids  # noqa: B018
