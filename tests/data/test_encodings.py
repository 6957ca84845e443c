"""Stored ids and labels: every data set's own, the other one in the wild, and never a guess."""

import re

import numpy as np
import pytest
from official import IDS, LAYOUTS, RULES, lay

from evaluation.data import load_card
from evaluation.data.encoding import Encoding
from evaluation.prepare.layout import build


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


def test_a_shift_moves_several_ids_of_one_label_and_ids_that_are_void():
    shifted = Encoding(ids=(3, (5, 6)), void=(1, 0, 255)).shifted(1)
    assert shifted == Encoding(ids=(2, (4, 5)), void=(0, 255))
    assert Encoding(ids=(3,), void=(0, 9)).shifted(1) == Encoding(ids=(2,), void=(8, 255))
    assert Encoding(ids=(3,), void=(0, 255)).shifted(-1) == Encoding(ids=(4,), void=(1, 255))


def test_what_an_encoding_knows():
    encoding = Encoding(ids=(0, 7), void=(65535,))
    assert [encoding.knows(stored) for stored in (0, 7, 65535)] == [True] * 3
    assert [encoding.knows(stored) for stored in (-1, 1, 65534, 65536)] == [False] * 4
    assert encoding.expected == "0, 7 or 65535 (void)"


def test_labels_are_bytes():
    """And an empty mask is one too: it is refused where it does not match its image."""
    found = Encoding(ids=(0, 7)).decode(np.array([[7, 0, 255]], dtype=np.uint16), name="x")
    assert found.dtype == np.uint8
    assert found.tolist() == [[1, 0, 255]]
    assert Encoding(ids=(0,)).decode(np.zeros((0, 3), dtype=np.uint8), name="x").shape == (0, 3)


def test_a_label_out_of_any_range_is_not_taken_for_the_nearest():
    encoding = Encoding(ids=(0, 65535))
    for value in (-1, 65536):
        with pytest.raises(
            ValueError, match=f"^mask x has the label {value}, expected 0, 65535 or"
        ):
            encoding.decode(np.array([[0, value]], dtype=np.int32), name="x")


@pytest.mark.parametrize("value", [-1, 70000])
def test_numbers_that_no_table_holds(value):
    mask = np.array([[0, value]], dtype=np.int32)
    with pytest.raises(ValueError, match="expected 0 to 20 or 255 \\(void\\)"):
        load_card("voc").encoding("official").decode(mask, name="x")


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
