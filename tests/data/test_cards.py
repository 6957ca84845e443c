"""The cards of the data sets."""

from dataclasses import replace

import pytest

from evaluation.data import Words, load_card
from evaluation.places import CARDS

NAMES = sorted(path.stem for path in CARDS.glob("*.yaml"))
NAMED = [name for name in NAMES if load_card(name).classes]  # the others take them from files
COUNTS = {
    "voc": (20, 1449), "voc20": (20, 1449), "ade20k": (150, 2000), "context": (59, 5104),
    "cityscapes": (19, 500), "coco_stuff": (171, 5000), "coco_object": (80, 5000),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_card_is_whole(name):
    card = load_card(name)
    assert card.name == name
    assert all([card.title, card.source, card.licence, card.citation, card.layout, card.split])
    assert card.images is None or card.images > 0


@pytest.mark.parametrize("name", NAMED)
def test_every_class_has_a_name_of_its_own_and_a_word(name):
    card = load_card(name)
    assert len(set(card.classes)) == len(card.classes)
    assert Words().of(card).names == card.classes


@pytest.mark.parametrize("name", NAMES)
def test_labels_count_the_background(name):
    card = load_card(name)
    assert card.labels[int(card.background) :] == card.classes
    assert ("background" in card.labels) == card.background


@pytest.mark.parametrize("name", sorted(set(NAMES) & set(COUNTS)))
def test_counts_are_those_of_the_official_split(name):
    assert (len(load_card(name).classes), load_card(name).images) == COUNTS[name]


def test_labels_of_voc_are_the_official_ones():
    labels = load_card("voc").labels
    assert (labels[1], labels[15], labels[20]) == ("aeroplane", "person", "tvmonitor")


@pytest.mark.parametrize("name", NAMED)
def test_every_word_fits_a_template(name):
    """Braces in a word would be read as a gap."""
    words = [word for _, word in Words().of(load_card(name)).class_words]
    assert all(word == word.strip() != "" for word in words)
    assert not any(sign in word for word in words for sign in "{}_")


def test_a_card_that_is_not_there():
    with pytest.raises(ValueError) as caught:
        load_card("pascal")
    said = f"there is no card pascal.yaml in datasets/, which has: {', '.join(NAMES)}"
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "the card mine.yaml cannot be read as YAML: while parsing"),
        ("[" * 5000, "the card mine.yaml cannot be read as YAML: maximum recursion depth"),
        ("- a", "the card mine.yaml holds no fields by name, which a card has"),
        ("1: a", "the card mine.yaml holds no fields by name, which a card has"),
    ],
)
def test_a_card_that_is_none(text, said, tmp_path, monkeypatch):
    monkeypatch.setattr("evaluation.data.card.CARDS", tmp_path)
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"^the card mine") as caught:
        load_card("mine")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"classes": ("a", "b", "a")}, "a"),
        ({"classes": ("a", "background"), "background": True}, "background"),
    ],
)
def test_two_labels_of_one_name(changes, name):
    with pytest.raises(ValueError, match=f"the card toy has the label {name} twice"):
        replace(load_card("toy"), **changes)
