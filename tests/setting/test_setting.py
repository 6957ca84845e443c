"""A setting as data: the same whoever built it."""

import dataclasses
import json
import subprocess
import sys

import pytest
from conftest import REPOSITORY
from drawn import CARD, Noise, setting_of
from pydantic import ValidationError

from evaluation.data import Card, Words, load_card
from evaluation.records.warnings import warnings_of
from evaluation.setting.identity import deciding, describe, fingerprint
from gem.backbones import OpenClip
from gem.methods import Gem


def test_a_description_is_plain_data(small):
    description = describe(setting_of(small))
    assert json.loads(json.dumps(description)) == description
    assert description["segmenter"]["_target_"] == "gem.Patches"
    assert description["segmenter"]["method"] == {
        "_target_": "gem.Gem",
        "iters": 1,
        "temperature": "adaptive",
        "temperature_scale": 1.0,
        "normalize": True,
        "projections": ["q", "k", "v"],
        "blocks": 4,
        "mlp": False,
        "residual": True,
    }
    assert description["protocol"]["resize"]["_target_"] == "gem.ShortSide"


def test_a_description_does_not_build_the_model():
    backbone = OpenClip(model="no such model", weights="/no/such/file.pt")
    assert describe(backbone)["weights"] == "/no/such/file.pt"


def test_equal_objects_have_equal_fingerprints():
    assert fingerprint(Gem(temperature=1)) == fingerprint(Gem(temperature=1.0))
    assert fingerprint(Gem()) == fingerprint(Gem(projections=["q", "k", "v"]))
    assert fingerprint(Gem(iters=2)) != fingerprint(Gem())


def test_a_fingerprint_is_the_same_in_every_process():
    """Python's own hash is not."""
    code = (
        "from evaluation.setting.identity import fingerprint; from gem.methods import Gem;"
        "print(fingerprint(Gem(iters=2)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == fingerprint(Gem(iters=2))


def test_what_is_incidental_is_a_field_of_an_object():
    """A hash of weights is not: it happens to have the same key."""
    assert deciding(describe(Noise(root="a"))) == deciding(describe(Noise(root="b")))
    assert fingerprint({"weights": "a"}) != fingerprint({"weights": "b"})


def test_the_limit_takes_the_first_ids(small):
    assert setting_of(small, limit=3).ids == ("0", "1", "2")
    assert setting_of(small).ids == Noise().ids


@pytest.mark.parametrize(
    "wrong",
    [{"batch_size": 0}, {"limit": 0}, {"workers": -1}, {"limit": "3"}, {"size": 1}],
    ids=str,
)
def test_wrong_values(wrong, small):
    with pytest.raises(ValidationError):
        setting_of(small, **wrong)


def with_words(setting, *words):
    return dataclasses.replace(setting, vocabulary=Words(words=words))


@pytest.mark.parametrize("word", ["dog", "Dog", "do\u200dg", "cat; dog"])
def test_own_words_of_two_classes_are_refused(word, small):
    """The second class could never win a pixel, and would have an IoU of 0."""
    wrong = with_words(setting_of(small), "dog", "tree", word, "sheep")
    with pytest.raises(ValueError) as caught:
        _ = wrong.class_vocabulary
    said = f"vocabulary.words: {word.split('; ')[-1]!r} is a word of 'dog' and of "
    assert str(caught.value) == f"{said}'a photo of a house': only the first could be found"


def test_classes_of_one_name_are_refused():
    """One of them would be missing from the scores by class."""
    with pytest.raises(ValueError, match=r"the card noise has the label dog twice"):
        Card(**{**CARD, "classes": ("dog", "tree", "dog")}, name="noise", background=True)


def test_points_ask_for_each_class_by_itself(small, monkeypatch):
    facts = {**CARD, "classes": ("dog", "dog"), "task": "points"}
    monkeypatch.setattr(Noise, "card", Card(**facts, name="noise", background=True))
    assert setting_of(small).class_vocabulary.words == ("dog", "dog")
    assert "1 classes have the name of another: per_class has the last" in warnings_of(
        setting_of(small)
    )


def test_families_are_taken_as_published(small, monkeypatch):
    """A bed is background for SCLIP, and a class of COCO."""
    monkeypatch.setattr(Noise, "card", load_card("coco_object"))
    found = dataclasses.replace(setting_of(small), vocabulary=Words(family="sclip"))
    said = "'bed' is a word of 'background' and of 'bed': the first counts"
    assert [one for one in warnings_of(found) if "bed" in one] == [said]
