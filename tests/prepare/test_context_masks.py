"""Pascal Context from both forms of its annotations, to the same masks."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from scipy.io import savemat

from evaluation.data import load_card
from evaluation.prepare import context
from evaluation.prepare.layout import build, survey
from evaluation.prepare.verify import take_census

SIZE = (5, 7)
NAME, TRAIN = "2008_000002", "2008_000003"
IDS = {"aeroplane": 2, "bag": 9, "sky": 360, "wood": 458, "person": 284}


def shape(rows, columns):
    filled = np.zeros(SIZE, dtype=np.uint8)
    filled[rows, columns] = 1
    runs = coco_mask.encode(np.asfortranarray(filled))
    return {"size": runs["size"], "counts": runs["counts"].decode()}


def annotation(number, category, rows, columns, image=1):
    return {
        "id": number, "image_id": image, "category_id": category,
        "segmentation": shape(rows, columns), "area": 1, "bbox": [0, 0, 1, 1], "iscrowd": 0,
    }  # fmt: skip


def write_json(root, annotations):
    images = [
        {"image_id": 1, "file_name": f"{NAME}.jpg", "phase": "val", "height": 5, "width": 7},
        {"image_id": 2, "file_name": f"{TRAIN}.jpg", "phase": "train", "height": 5, "width": 7},
    ]
    (root / context.JSON).parent.mkdir(parents=True, exist_ok=True)
    content = {"images": images, "annos_segmentation": annotations}
    (root / context.JSON).write_text(json.dumps(content))


def write_mat(root, labels, name=NAME, **arguments):
    (root / context.MATS).mkdir(parents=True, exist_ok=True)
    savemat(root / context.MATS / f"{name}.mat", {"LabelMap": labels}, **arguments)


def read(root, name=NAME):
    return np.array(Image.open(root / context.MASKS / f"{name}.png"))


def test_the_ids_are_those_of_the_classes():
    """The 59 names at their ids in the official list of 459, as far as they are known by heart."""
    classes = load_card("context").classes
    assert len(context.CLASS_IDS) == 59 == len(classes)
    assert list(context.CLASS_IDS) == sorted(context.CLASS_IDS)
    assert {n: context.CLASS_IDS[classes.index(n)] for n in IDS} == IDS


def test_both_forms_give_the_same_masks(tmp_path):
    """Later annotations overwrite; classes that are none of the 59 are background."""
    drawn = [
        annotation(1, IDS["sky"], slice(0, 5), slice(0, 5)),
        annotation(2, IDS["aeroplane"], slice(1, 3), slice(2, 7)),
    ]
    expected = np.zeros(SIZE, dtype=np.uint8)
    expected[:, 0:5] = 1 + load_card("context").classes.index("sky")
    expected[1:3, 2:7] = 1
    labels = np.full(SIZE, 1, dtype=np.uint16)  # accordion, of the other 400
    labels[:, 0:5], labels[1:3, 2:7] = IDS["sky"], IDS["aeroplane"]
    write_json(tmp_path / "json", drawn)
    write_mat(tmp_path / "mat", labels)
    assert context.convert(tmp_path / "json") == 2
    assert context.convert(tmp_path / "mat") == 1
    assert read(tmp_path / "json").tolist() == read(tmp_path / "mat").tolist() == expected.tolist()
    assert read(tmp_path / "json", TRAIN).tolist() == np.zeros(SIZE).tolist()


@pytest.mark.parametrize("arguments", [{}, {"do_compression": True}, {"format": "4"}])
@pytest.mark.parametrize("kind", [np.uint16, np.int16, np.int32, np.int64, np.float32, np.float64])
def test_every_way_to_write_a_mat(arguments, kind, tmp_path):
    write_mat(tmp_path, np.array([[0, 2, 458, 459]], dtype=kind), **arguments)
    context.convert(tmp_path)
    assert read(tmp_path).tolist() == [[0, 1, 59, 0]]


def test_lists_and_a_second_run(tmp_path):
    write_json(tmp_path, [annotation(1, IDS["bag"], slice(0, 5), slice(0, 7))])
    assert context.convert(tmp_path) == 2
    before = (tmp_path / context.MASKS / f"{NAME}.png").stat().st_mtime_ns
    assert context.convert(tmp_path) == 0
    assert (tmp_path / context.MASKS / f"{NAME}.png").stat().st_mtime_ns == before
    assert (tmp_path / context.LISTS / "val.txt").read_text() == f"{NAME}\n"
    assert (tmp_path / context.LISTS / "train.txt").read_text() == f"{TRAIN}\n"


def test_a_killed_conversion_goes_on(tmp_path, monkeypatch):
    write_json(tmp_path, [])
    saves, save = [], context._save

    def dies(mask, path):
        if saves:
            raise KeyboardInterrupt
        saves.append(path)
        save(mask, path)

    monkeypatch.setattr(context, "_save", dies)
    with pytest.raises(KeyboardInterrupt):
        context.convert(tmp_path)
    monkeypatch.undo()
    assert context.convert(tmp_path) == 1


def test_the_converted_masks_are_read(tmp_path):
    write_json(tmp_path, [annotation(1, IDS["wood"], slice(0, 5), slice(0, 3))])
    context.convert(tmp_path)
    path = tmp_path / f"VOCdevkit/VOC2010/JPEGImages/{NAME}.jpg"
    path.parent.mkdir(parents=True)
    Image.new("RGB", (7, 5)).save(path)
    assert survey(build("context", tmp_path)).state == "partial, 1 of 5104"
    assert take_census(build("context", tmp_path)).pixels[[58, 59]].tolist() == [15, 20]
    assert take_census(build("context60", tmp_path)).pixels[[0, 59, 60]].tolist() == [20, 15, 0]


def test_a_category_of_the_other_400(tmp_path):
    write_json(tmp_path, [annotation(1, 1, slice(0, 1), slice(0, 1))])
    with pytest.raises(ValueError, match=f"{NAME} has the category 1, expected one of the 59"):
        context.convert(tmp_path)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.int16([[460]]), "has values from 460 to 460, expected whole numbers from 0 to 459"),
        (np.int16([[-1, 2]]), "has values from -1 to 2, expected whole numbers from 0 to 459"),
        (np.float64([[1.5]]), "has values from 1.5 to 1.5, expected whole numbers from 0 to 459"),
        (np.float64([[np.nan]]), "has values from nan to nan, expected whole numbers from 0"),
        (np.int16([[[1, 2]], [[2, 3]]]), "has the shape (2, 1, 2), expected two dimensions"),
        (np.zeros((0, 3)), "has the shape (0, 3), expected two dimensions"),
    ],
)
def test_a_mat_that_is_no_label_map(labels, said, tmp_path):
    write_mat(tmp_path, labels)
    with pytest.raises(ValueError, match=re.escape(f"{NAME}.mat: LabelMap {said}")):
        context.convert(tmp_path)
    assert not (tmp_path / context.MASKS).exists()


@pytest.mark.parametrize("labels", [np.complex128([[1 + 1j]]), np.array(["text"]), {"a": 1}])
def test_a_mat_of_something_else(labels, tmp_path):
    write_mat(tmp_path, labels)
    said = f"{NAME}.mat holds no LabelMap: LabelMap is no array of real numbers"
    with pytest.raises(ValueError, match=re.escape(said)):
        context.convert(tmp_path)


def test_a_mat_without_the_variable(tmp_path):
    (tmp_path / context.MATS).mkdir(parents=True)
    savemat(tmp_path / context.MATS / f"{NAME}.mat", {"Other": [1], "Another": {"x": 2}})
    with pytest.raises(ValueError, match=f"{NAME}.mat holds no LabelMap: it has no LabelMap"):
        context.convert(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no mat" * 40])
def test_a_mat_that_is_broken(content, tmp_path):
    write_mat(tmp_path, np.zeros((1, 1)))
    (tmp_path / context.MATS / f"{NAME}.mat").write_bytes(content)
    with pytest.raises(ValueError, match="holds no LabelMap"):
        context.convert(tmp_path)


@pytest.mark.parametrize("compressed", [True, False])
def test_a_mat_with_other_bytes(compressed, tmp_path):
    """Any byte may be another: an error with the file's name, or a map of the 459 ids."""
    write_mat(tmp_path, np.uint16([[2, 9], [18, 458]]), do_compression=compressed)
    path = tmp_path / context.MATS / f"{NAME}.mat"
    content, generator = path.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(content)
        for place in generator.integers(0, len(content), generator.integers(1, 4)):
            broken[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(broken)
        try:
            found = context.from_mat(path)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:
            assert found.max() <= 59


WRONG = "trainval_merged.json is not Context's trainval_merged.json: "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file: Invalid JSON: EOF while parsing"),
        ("[" * 100_000, "the file: Invalid JSON: recursion limit exceeded"),
        ("{}", "images: Field required"),
        ("[]", "the file: Input should be an object"),
        ('{"images": [], "annos_segmentation": [{}]}', "annos_segmentation.0.image_id: Field req"),
        ('{"images": null, "annos_segmentation": []}', "images: Input should be a valid array"),
    ],
)
def test_a_json_that_is_something_else(text, said, tmp_path):
    write_json(tmp_path, [])
    (tmp_path / context.JSON).write_text(text)
    with pytest.raises(ValueError, match=re.escape(WRONG + said)):
        context.convert(tmp_path)


@pytest.mark.parametrize(
    ("kind", "field", "value", "said"),
    [
        ("images", "height", None, "images.0.height: Input should be a valid integer"),
        ("images", "height", -1, "images.0.height: Input should be greater than or equal to 1"),
        ("images", "width", 10**9, "images.0.width: Input should be less than or equal to 10000"),
        ("images", "file_name", "../x.jpg", "images.0.file_name: String should match pattern"),
        ("images", "file_name", "a\nb.jpg", "images.0.file_name: String should match pattern"),
        ("images", "file_name", f"{TRAIN}.png", f"the image {TRAIN}.jpg is there twice"),
        ("images", "image_id", 2, f"the image {TRAIN}.jpg is there twice"),
        ("images", "image_id", [], "images.0.image_id.int: Input should be a valid integer"),
        ("images", "phase", 3, "images.0.phase: Input should be a valid string"),
        ("annos_segmentation", "category_id", [1], "annos_segmentation.0.category_id: Input sh"),
        ("annos_segmentation", "image_id", 7, "it has a shape of the image 7, which it lacks"),
    ],
)
def test_a_field_that_is_wrong(kind, field, value, said, tmp_path):
    write_json(tmp_path, [annotation(1, IDS["bag"], slice(0, 5), slice(0, 7))])
    content = json.loads((tmp_path / context.JSON).read_text())
    content[kind][0][field] = value
    (tmp_path / context.JSON).write_text(json.dumps(content))
    with pytest.raises(ValueError, match=re.escape(WRONG + said)):
        context.convert(tmp_path)
    assert not (tmp_path / context.MASKS).exists()


@pytest.mark.parametrize("shape", [None, {}, [], [[1]], {"size": [5], "counts": 3}, 7, "x"])
def test_a_shape_that_is_none(shape, tmp_path):
    write_json(
        tmp_path, [annotation(1, IDS["bag"], slice(0, 1), slice(0, 1)) | {"segmentation": shape}]
    )
    with pytest.raises(ValueError, match=f"json: a shape of {NAME} cannot be drawn: "):
        context.convert(tmp_path)
