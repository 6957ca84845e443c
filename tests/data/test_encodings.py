"""Stored ids and labels: every data set's own, the other one in the wild, and never a guess."""

import re

import numpy as np
import pytest
from PIL import Image

from evaluation.data import load_card
from evaluation.data.encoding import Encoding
from evaluation.prepare.layout import build

# Independent of the cards: the rules as the field's repositories state them.
COCO_GAPS = {11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90}
STUFF = [i for i in range(182) if i not in COCO_GAPS]
CITY = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
RULES = {
    ("voc", "official"): {**{i: i for i in range(21)}, 255: 255},
    ("voc20", "official"): {0: 255, **{i: i - 1 for i in range(1, 21)}, 255: 255},
    ("context", "official"): {0: 255, **{i: i - 1 for i in range(1, 60)}},
    ("context", "train_ids"): {**{i: i for i in range(59)}, 255: 255},
    ("context60", "official"): {i: i for i in range(60)},
    ("context60", "train_ids"): {**{i: i + 1 for i in range(59)}, 255: 0},
    ("ade20k", "official"): {0: 255, **{i: i - 1 for i in range(1, 151)}},
    ("ade20k", "train_ids"): {**{i: i for i in range(150)}, 255: 255},
    ("coco_object", "official"): {**{i: i for i in range(81)}, 255: 255},
    ("coco_object_stuff", "official"): {
        **{i: (STUFF.index(i) + 1 if i < 91 else 0) for i in STUFF},
        255: 0,
    },
    ("coco_stuff", "official"): {**{i: STUFF.index(i) for i in STUFF}, 255: 255},
    ("coco_stuff", "train_ids"): {**{i: i for i in range(171)}, 255: 255},
    ("cityscapes", "official"): {i: (CITY.index(i) if i in CITY else 255) for i in range(34)},
    ("cityscapes", "train_ids"): {**{i: i for i in range(19)}, 255: 255},
}


@pytest.mark.parametrize(("name", "stored"), RULES)
def test_every_id_becomes_its_label_or_is_refused(name, stored):
    encoding, rule = load_card(name).encoding(stored), RULES[name, stored]
    for number in range(300):
        mask = np.array([[number]], dtype=np.uint16)
        if number in rule:
            assert encoding.decode(mask, name="x").tolist() == [[rule[number]]]
        else:
            with pytest.raises(ValueError, match=f"mask x has the label {number}, expected "):
                encoding.decode(mask, name="x")


def test_names_at_their_labels():
    """Anchors that a shift by one would break."""
    assert load_card("ade20k").labels[12] == "person"
    assert load_card("context").labels[:2] == ("aeroplane", "bag")
    assert load_card("context60").labels[:2] == ("background", "aeroplane")
    assert load_card("context").labels[58] == "wood"
    assert load_card("coco_stuff").labels[79:81] == ("toothbrush", "banner")
    assert load_card("coco_stuff").labels[170] == "wood"
    assert load_card("cityscapes").labels[11:14] == ("person", "rider", "car")
    assert load_card("coco_object").labels[:2] == ("background", "person")
    assert load_card("coco_object").labels[80] == "toothbrush"
    assert load_card("coco_object_stuff").labels == load_card("coco_object").labels


def test_an_encoding_that_is_not_there():
    with pytest.raises(ValueError, match="encoding=train_ids: voc has no such encoding"):
        load_card("voc").encoding("train_ids")


def test_ids_as_people_write_them():
    assert Encoding(ids=(3, "5-7", [9, "11-12"])).ids == (3, 5, 6, 7, (9, 11, 12))


@pytest.mark.parametrize("wrong", [{"ids": (1, 1)}, {"ids": (1,), "void": (1,)}, {"ids": (70000,)}])
def test_ids_that_mean_two_things(wrong):
    with pytest.raises(ValueError, match="out of range or twice"):
        Encoding(**wrong)


def test_a_shift_moves_every_id_but_void():
    """Files that count ADE20K from 0, with 255 for none: one less than the official ids."""
    shifted = load_card("ade20k").encoding("official").shifted(1)
    mask = np.array([[0, 149, 255]], dtype=np.uint8)
    assert shifted.decode(mask, name="x").tolist() == [[0, 149, 255]]


@pytest.mark.parametrize("value", [-1, 70000])
def test_numbers_that_no_table_holds(value):
    mask = np.array([[0, value]], dtype=np.int32)
    with pytest.raises(ValueError, match="expected 0 to 20 or 255 \\(void\\)"):
        load_card("voc").encoding("official").decode(mask, name="x")


# Files in the official layouts.
LAYOUTS = {
    "voc20": ("VOCdevkit/VOC2012/JPEGImages/{}.jpg", "VOCdevkit/VOC2012/SegmentationClass/{}.png"),
    "ade20k": (
        "ADEChallengeData2016/images/validation/{}.jpg",
        "ADEChallengeData2016/annotations/validation/{}.png",
    ),
    "context": (
        "VOCdevkit/VOC2010/JPEGImages/{}.jpg",
        "VOCdevkit/VOC2010/SegmentationClassContext/{}.png",
    ),
    "coco_stuff": ("coco/val2017/{}.jpg", "coco/stuffthingmaps/val2017/{}.png"),
    "coco_object_stuff": ("coco/val2017/{}.jpg", "coco/stuffthingmaps/val2017/{}.png"),
    "cityscapes": (
        "cityscapes/leftImg8bit/val/{}_leftImg8bit.png",
        "cityscapes/gtFine/val/{}_gtFine_labelIds.png",
    ),
}
IDS = {
    "voc20": "2007_000033",
    "ade20k": "ADE_val_00000001",
    "context": "2008_000002",
    "coco_stuff": "000000000139",
    "coco_object_stuff": "000000000139",
    "cityscapes": "frankfurt/frankfurt_000000_000294",
}


def lay(root, name, ids, stored):
    """One pair in the official layout, and the list of VOC."""
    image, mask = (root / pattern.format(ids) for pattern in LAYOUTS[name])
    for path in (image, mask):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (stored.shape[1], stored.shape[0]), (9, 9, 9)).save(image)
    Image.fromarray(stored).save(mask)
    if name == "voc20":
        listing = root / "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt"
        listing.parent.mkdir(parents=True, exist_ok=True)
        listing.write_text(f"{ids}\n")


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_official_layout_as_the_config_has_it(name, tmp_path):
    rule = RULES[name, "official"]
    stored = np.array(list(rule) * 2, dtype=np.uint8).reshape(2, -1)
    lay(tmp_path, name, IDS[name], stored)
    dataset = build(name, tmp_path)
    assert tuple(dataset.ids) == (IDS[name],)
    dataset.check(dataset.ids)
    truth = dataset[IDS[name]].truth
    assert truth.tolist() == [[rule[number] for number in row] for row in stored.tolist()]


def test_masks_of_16_bits(tmp_path):
    lay(tmp_path, "ade20k", IDS["ade20k"], np.array([[0, 1, 150]], dtype=np.uint16))
    assert build("ade20k", tmp_path)[IDS["ade20k"]].truth.tolist() == [[255, 0, 149]]


def test_lists_of_this_project():
    assert len(set(_own("context_val"))) == 5104
    assert _own("ade20k_val") == tuple(f"ADE_val_{i:08d}" for i in range(1, 2001))


def _own(name):
    from evaluation.data.on_disk import read_list

    return read_list(".", f"datasets/splits/{name}.txt")


@pytest.mark.parametrize("name", ["ade20k", "coco_stuff"])
def test_nothing_but_what_is_there(name, tmp_path):
    lay(tmp_path, name, IDS[name], np.array([[1]], dtype=np.uint8))
    partly = build(name, tmp_path)
    assert tuple(partly.ids) == (IDS[name],)
    partly.image_path(IDS[name]).unlink()
    with pytest.raises(FileNotFoundError, match=r"none of the .* samples is there, expected"):
        build(name, tmp_path).ids  # noqa: B018


# The two encodings of Pascal Context: told apart, never guessed.
def context(tmp_path, stored, **changes):
    lay(tmp_path, "context", IDS["context"], np.array(stored, dtype=np.uint8))
    return build("context", tmp_path, changes)


def test_context_counted_from_0_is_refused_as_the_official_one(tmp_path):
    dataset = context(tmp_path, [[0, 58, 255]])
    said = (
        "mask 2008_000002.png has the label 255, expected 1 to 59 or 0 (void); "
        "dataset.encoding=train_ids reads 0 to 58 or 255 (void)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        dataset[IDS["context"]]
    dataset = context(tmp_path, [[0, 58, 255]], encoding="train_ids")
    dataset.check(dataset.ids)
    assert dataset[IDS["context"]].truth.tolist() == [[0, 58, 255]]


def test_the_official_context_is_refused_as_counted_from_0(tmp_path):
    dataset = context(tmp_path, [[0, 1, 58]], encoding="train_ids")
    with pytest.raises(ValueError, match=r"none of 1 masks, the first 2008_000002.png, has a 255"):
        dataset.check(dataset.ids)
    with pytest.raises(ValueError, match="has the label 59, expected 0 to 58 or 255"):
        context(tmp_path, [[59, 255]], encoding="train_ids")[IDS["context"]]
