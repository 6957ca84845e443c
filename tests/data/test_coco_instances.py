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
WHOLE = "expected an even number of finite values, 6 at least"
BROKEN = {
    "another size": (
        {"size": [3, 3], "counts": [9]},
        "its shape is of an image of [3, 3], expected [6, 8] [height, width]",
    ),
    "no size": ({"counts": [48]}, "its shape is {'counts': [48]}, expected polygons or run lengths"),
    "null": (None, "its shape is None, expected polygons or run lengths"),
    "empty": ([], "its shape is [], expected polygons or run lengths"),
    "text": ("abc", "its shape is 'abc', expected polygons or run lengths"),
    "flat": ([1, 2, 3, 4, 5, 6], f"a polygon is 1, {WHOLE}"),
    "nan": ([[0, 0, 4, 0, float("nan"), 4]], f"a polygon is [0, 0, 4, 0, nan, 4], {WHOLE}"),
    "infinite": ([[0, 0, 4, 0, 4, float("inf")]], f"a polygon is [0, 0, 4, 0, 4, inf], {WHOLE}"),
    "odd": ([[0, 0, 4, 0, 4, 4, 2]], f"a polygon is [0, 0, 4, 0, 4, 4, 2], {WHOLE}"),
    "a box": ([[0, 0, 4, 4]], f"a polygon is [0, 0, 4, 4], {WHOLE}"),
    "words": ([["0", "0", "4", "0", "4", "4"]], f"a polygon is ['0', '0', '4', '0', '4', '4'], {WHOLE}"),
    "true": ([[True] * 6], f"a polygon is [True, True, True, True, True, True], {WHOLE}"),
    "giant": ([[0, 0, 4, 0, 4, 10**30]], f"a polygon is [0, 0, 4, 0, 4, {10**23}..., {WHOLE}"),
    "right": (
        [[0, 0, 13.5, 0, 4, 4]],
        "a polygon reaches x = 13.5, more than 5 pixels outside of an image of 6x8 (height x width)",
    ),
    "above": (
        [[0, 0, 4, 0, 4, -1e9]],
        "a polygon reaches y = -1e+09, more than 5 pixels outside of an image of 6x8 (height x width)",
    ),
    "negative runs": (
        {"size": [6, 8], "counts": [-1, 49]},
        "its run lengths [-1, 49] are not those of an image of 48 pixels",
    ),
    "short runs": (
        {"size": [6, 8], "counts": [40]},
        "its run lengths [40] are not those of an image of 48 pixels",
    ),
    "runs that overflow": (
        {"size": [6, 8], "counts": [2**62, 2**62, 2**62, 2**62, 48]},
        "its run lengths [4611686018427387904, 461168601842738790... are not those of an image of "
        "48 pixels",
    ),
    "no runs": ({"size": [6, 8], "counts": []}, "its run lengths are [], expected whole numbers"),
    "runs of words": (
        {"size": [6, 8], "counts": ["48"]}, "its run lengths are ['48'], expected whole numbers",
    ),
    "a code cut short": (
        {"size": [6, 8], "counts": "o"}, "its run lengths are 'o', which is none of COCO's codes",
    ),
    "no code": (
        {"size": [6, 8], "counts": "\x7f~"},
        "its run lengths are '\\x7f~', which is none of COCO's codes",
    ),
    "a giant code": (
        {"size": [6, 8], "counts": "oooooooooo0"},
        "its run lengths are 'oooooooooo0', which is none of COCO's codes",
    ),
    "a code of fewer pixels": (
        {"size": [6, 8], "counts": "05"},
        "its run lengths [0, 5] are not those of an image of 48 pixels",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_annotations_that_cannot_be_drawn(kind, tmp_path):
    """Said before any time is spent; pycocotools would crash, or draw something."""
    shape, said = BROKEN[kind]
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
    runs = coco_mask.encode(np.asfortranarray(drawn))
    code = {"size": [height, width], "counts": runs["counts"].decode()}
    assert np.array_equal(draw_shape(code, (height, width)), drawn)


def test_long_runs_are_drawn_as_by_pycocotools():
    drawn = np.zeros((3000, 2000), dtype=np.uint8)
    drawn[:, 7] = drawn[5:2900, 1500:] = 1
    runs = coco_mask.encode(np.asfortranarray(drawn))
    assert np.array_equal(draw_shape(runs, (3000, 2000)), drawn)


IMAGES = [{"id": 7, "file_name": "7.jpg", "height": 6, "width": 8}]
CATEGORIES = [{"id": 1, "name": "person"}]
NO_FILE = "cannot be read as COCO instances: "
FILES = {
    "nothing": ("", f" {NO_FILE}invalid JSON: EOF while parsing a value at line 1 column 0"),
    "a list": ([], f" {NO_FILE}input should be an object"),
    "brackets": ("[" * 10**5, f" {NO_FILE}invalid JSON: recursion limit exceeded at line 1 column 202"),
    "no annotations": ({"annotations": None}, f" {NO_FILE}annotations: input should be a valid array, found None"),
    "no image": ({"images": []}, f" {NO_FILE}images: list should have at least 1 item after validation, not 0, found []"),
    "text": ({"images": [IMAGES[0] | {"height": "6"}]}, f" {NO_FILE}images[0].height: input should be a valid integer, found '6'"),
    "no height": ({"images": [IMAGES[0] | {"height": 0}]}, f" {NO_FILE}images[0].height: input should be greater than or equal to 1, found 0"),
    "no name": ({"images": [{"id": 1, "height": 1, "width": 1}]}, f" {NO_FILE}images[0].file_name: field required"),
    "crowd": ({"annotations": [annotation(1, 1, BOX, crowd=2)]}, f" {NO_FILE}annotations[0].iscrowd: input should be 0 or 1, found 2"),
    "an image twice": ({"images": IMAGES * 2}, ": the image id 7 is there twice, expected once"),
    "an annotation twice": ({"annotations": [annotation(1, 1, BOX)] * 2}, ": the annotation id 1 is there twice, expected once"),
    "a category twice": ({"categories": CATEGORIES * 2}, ": the category id 1 is there twice, expected once"),
    "a lost annotation": ({"annotations": [annotation(1, 1, BOX) | {"image_id": 8}]}, ": the annotation 1 is of the image 8, which is not there"),
    "no such category": ({"annotations": [annotation(1, 12, BOX)]}, ": the annotation 1 is of the category 12, which is not there"),
    "one stem": ({"images": [*IMAGES, IMAGES[0] | {"id": 8, "file_name": "x/7.png"}]}, ": the id '7' is there 2 times, expected once"),
    "no stem": ({"images": [IMAGES[0] | {"file_name": ".."}]}, ": the id '..' cannot be the name of a file in a folder"),
    "nul": ({"images": [IMAGES[0] | {"file_name": "a\0.jpg"}]}, ": the id 'a\\x00' cannot be the name of a file in a folder"),
}  # fmt: skip  # noqa: E501


@pytest.mark.parametrize("kind", FILES)
def test_files_that_are_no_annotations(kind, tmp_path):
    content, said = FILES[kind]
    dataset = write(tmp_path, [])
    if isinstance(content, dict):
        content = {"images": IMAGES, "annotations": [], "categories": CATEGORIES} | content
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ValueError, match=r"instances_val2017.json") as caught:
        replace(dataset).ids  # noqa: B018
    assert str(caught.value) == f"{tmp_path / FILE}{said}"


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
