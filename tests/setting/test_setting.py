"""A setting as data: the same whoever built it."""

import json
import subprocess
import sys

import pytest
from conftest import REPOSITORY
from drawn import Noise, setting_of
from pydantic import ValidationError

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
