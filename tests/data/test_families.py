"""Which words are asked for the classes."""

import pytest

from evaluation.data import Words, load_card
from evaluation.data.class_words import FAMILIES, load_family
from gem.vocabulary import Prompts

NAMES = sorted(path.stem for path in FAMILIES.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_family_names_classes_that_there_are(name):
    family = load_family(name)
    for dataset, changed in family.words.items():
        assert set(changed) <= set(load_card(dataset).classes), dataset
    for dataset in family.background:
        assert load_card(dataset).background, dataset


def test_plain_words_are_the_class_names():
    card = load_card("voc")
    assert Words(family="plain").of(card).words == card.classes


def test_the_words_of_gems_author():
    asked = Words(family="gem").of(load_card("voc"))
    pairs = zip(asked.names, asked.words, strict=True)
    changed = {name: word for name, word in pairs if name != word}
    assert changed == {"diningtable": "table", "pottedplant": "plant", "tvmonitor": "monitor"}


@pytest.mark.parametrize(
    ("family", "dataset", "queries", "background"),
    [
        ("clearclip", "voc", 21, True),  # one word each, "background" among them
        ("proxyclip", "voc", 26 + 20, True),
        ("sclip", "voc", 26 + 18 + 7 + 5, True),
        ("sclip", "voc20", 18 + 7 + 5, False),
        ("sclip", "coco_object", 26 + 80, True),
        ("proxyclip", "coco_object", 17 + 80, True),
        ("sclip", "context60", 60, True),
        ("sclip", "ade20k", 150, False),
    ],
)
def test_how_many_words_a_family_asks(family, dataset, queries, background):
    asked = Words(family=family).of(load_card(dataset))
    assert (len(asked.class_words), asked.background) == (queries, background)


def test_several_words_stand_for_one_class():
    asked = Words(family="sclip").of(load_card("voc"))
    monitor = asked.names.index("tvmonitor")
    words = [word for index, word in asked.class_words if index == monitor]
    assert words == ["television monitor", "tv monitor", "monitor", "television", "screen"]


def test_own_words_from_a_list_and_from_a_file(tmp_path):
    card = load_card("folder")
    path = tmp_path / "words.txt"
    path.write_text("cat; kitten\n\ndog\n", encoding="utf-8")
    listed, read = Words(words=("cat; kitten", "dog")).of(card), Words(words=str(path)).of(card)
    assert listed == read
    assert listed.names == ("cat", "dog")
    assert listed.class_words == ((0, "cat"), (0, "kitten"), (1, "dog"))


@pytest.mark.parametrize(
    ("words", "dataset", "message"),
    [
        (
            Words(family="nope"),
            "voc",
            r"family=nope: no such family; there are clearclip",
        ),
        (Words(words=("cat", "dog")), "voc", r"vocabulary.words has 2 classes, but voc has 20"),
        (Words(words="nope.txt"), "voc", r"neither a list \[cat,dog\] nor a file"),
    ],
)
def test_words_that_do_not_fit(words, dataset, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        words.of(load_card(dataset))


def test_prompts_need_a_gap():
    with pytest.raises(ValueError, match=r"needs one \{\} for the word"):
        Prompts(templates=("a photo",))
