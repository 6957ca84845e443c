"""Pascal Context from both forms of its annotations, to the same masks."""

import json

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
@pytest.mark.parametrize("kind", [np.uint16, np.float64])
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


@pytest.mark.parametrize("labels", [[[460]], [[-1]], [[[1]], [[2]]]])
def test_a_mat_that_is_no_label_map(labels, tmp_path):
    write_mat(tmp_path, np.array(labels, dtype=np.int16))
    with pytest.raises(ValueError, match="expected two dimensions and 0 to 459"):
        context.convert(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no mat" * 40])
def test_a_mat_that_is_broken(content, tmp_path):
    write_mat(tmp_path, np.zeros((1, 1)))
    (tmp_path / context.MATS / f"{NAME}.mat").write_bytes(content)
    with pytest.raises(ValueError, match="holds no LabelMap"):
        context.convert(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"annos_segmentation": [{}]}'])
def test_a_json_that_is_something_else(text, tmp_path):
    write_json(tmp_path, [])
    (tmp_path / context.JSON).write_text(text)
    with pytest.raises(ValueError, match=r"is not Context's trainval_merged.json"):
        context.convert(tmp_path)
