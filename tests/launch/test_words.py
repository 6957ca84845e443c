"""The words of all commands: types, wrong values, unknown keys, help, and how a command ends."""

import os
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from evaluation.launch.words import (
    Key,
    command,
    key_values,
    read_keys,
    read_words,
    run_keys,
    split_overrides,
)
from evaluation.places import CONFIGS

OWN = {
    "limit": Key(None, "first n", kind=int, least=1),
    "size": Key(448, "pixels", least=1),
    "rate": Key(0.5, "of learning", least=0),
    "force": Key(False, "again"),
    "sort": Key("created", "a column"),
    "out": Key(Path("here"), "a folder"),
    "csv": Key(None, "a file", kind=Path),
    "scales": Key((), "several"),
    "only": Key("both", "which", among=("both", "one")),
}


def test_without_words_all_is_the_default():
    assert read_keys("", OWN, []) == {name: key.default for name, key in OWN.items()}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("limit=3", 3), ("limit=null", None), ("size=1", 1), ("rate=1e-3", 0.001), ("rate=2", 2.0),
        ("rate=inf", float("inf")), ("force=true", True), ("force=False", False),
        ("sort=-miou", "-miou"), ("sort=a=b", "a=b"), ("sort=1", "1"), ("out=a b", Path("a b")),
        ("csv=x.csv", Path("x.csv")), ("scales=[0.5,1, 2]", (0.5, 1.0, 2.0)),
        ("scales=50", (50.0,)), ("scales=[]", ()), ("only=one", "one"),
    ],
)  # fmt: skip
def test_a_value_has_the_type_of_its_key(word, value):
    found = read_keys("", OWN, [word])[word.partition("=")[0]]
    assert found == value
    assert type(found) is type(value) or isinstance(value, Path)


def test_the_last_word_counts():
    assert read_keys("", OWN, ["size=1", "size=2"])["size"] == 2


KEYS = "limit, size, rate, force, sort, out, csv, scales, only"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("limit=many", "limit=many: expected a whole number, 1 or more, or null"),
        ("limit=0", "limit=0: expected a whole number, 1 or more, or null"),
        ("size=null", "size=null: expected a whole number, 1 or more"),
        ("size=1.5", "size=1.5: expected a whole number, 1 or more"),
        ("size=", "size=: expected a whole number, 1 or more"),
        ("rate=fast", "rate=fast: expected a number, 0 or more"),
        ("rate=nan", "rate=nan: expected a number, 0 or more"),
        ("force=maybe", "force=maybe: expected true or false"),
        ("out=", "out=: expected a path"),
        ("sort=", "sort=: expected text"),
        ("scales=50,x", "scales=50,x: expected numbers in brackets, such as [0.5,1]"),
        ("scales=[1", "scales=[1: expected numbers in brackets, such as [0.5,1]"),
        ("scales=1]", "scales=1]: expected numbers in brackets, such as [0.5,1]"),
        ("scales=[1,nan]", "scales=[1,nan]: expected numbers in brackets, such as [0.5,1]"),
        ("only=two", "only=two: expected one of both, one"),
        ("sizes=3", f"sizes=3: no such key (did you mean size?); the keys are {KEYS}"),
        ("colour=red", f"colour=red: no such key; the keys are {KEYS}"),
        ("20", f"20: expected KEY=VALUE; the keys are {KEYS}"),
        ("", f"an empty word: expected KEY=VALUE; the keys are {KEYS}"),
        ("--size=3", "--size=3: keys have no dashes in front, write size=3"),
        ("--csv", "--csv: keys have no dashes in front, write csv=VALUE"),
        ("-m", "-m: words have no dashes in front; expected KEY=VALUE, see --help"),
    ],
)
def test_a_mistake_gets_a_sentence(word, said):
    with pytest.raises(ValueError) as caught:
        read_keys("", OWN, [word])
    assert str(caught.value) == said


def test_other_words_are_kept_in_their_order():
    own, others = read_words("", OWN, ["b.jpg", "size=3", "a = b", "gem.iters=2", "a"])
    assert own["size"] == 3
    assert others == ["b.jpg", "a = b", "gem.iters=2", "a"]


def test_overrides_are_told_from_prompts():
    words = ["photo.jpg", "a = b", "gem.iters=2", "=", "a cat=1", "backbone=tiny", "1=2"]
    overrides, others = split_overrides(words, OWN)
    assert overrides == ["gem.iters=2", "backbone=tiny"]
    assert others == ["photo.jpg", "a = b", "=", "a cat=1", "1=2"]


def test_an_override_that_nobody_knows():
    with pytest.raises(ValueError) as caught:
        split_overrides(["methd.x=clip"], ["out"], ["method", "gem"])
    assert str(caught.value) == (
        "methd.x=clip: no such key (did you mean method?); the keys are out; of run.py: gem, method"
    )


def test_the_keys_of_run_are_those_of_its_config():
    config = OmegaConf.load(CONFIGS / "config.yaml")
    groups = {next(iter(one)) for one in config.defaults if one != "_self_"}
    groups = {group for group in groups if not group.startswith("override ")}
    assert run_keys() == groups | set(config) - {"defaults", "hydra"} | {"gem", "companion"}


def test_values_as_yaml_has_them():
    found = key_values(["limit=3", "dataset.root=a=b", "words=[cat, dog]"], "x=1")
    assert found == {"limit": 3, "dataset.root": "a=b", "words": ["cat", "dog"]}


@pytest.mark.parametrize("word", ["voc", "voc=", "=voc"])
def test_words_that_are_no_pair(word):
    with pytest.raises(ValueError) as caught:
        key_values([word], "dataset=voc")
    assert str(caught.value) == f"{word}: expected KEY=VALUE, such as dataset=voc"


@pytest.mark.parametrize("value", ["[cat", "!!int", "2020-13-45", "=", "\x00", 400 * "["])
def test_a_value_that_yaml_cannot_read(value):
    with pytest.raises(ValueError) as caught:
        key_values([f"words={value}"], "dataset=voc")
    assert str(caught.value) == f"words={value}: expected a value that YAML can read"


def test_help_shows_the_keys_and_their_defaults(capsys):
    with pytest.raises(SystemExit) as caught:
        read_keys(
            "What it does.\n\n    an example\n", OWN | {"batch": Key(1, "images")}, ["--help"]
        )
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("What it does.\n\n    an example\n\nKeys, with their defaults:\n")
    for line in ("limit=null    first n", "force=false", "scales=[] ", "batch=1 ", "out=here "):
        assert f"\n  {line}" in said


def fails(error):
    def main():
        raise error

    return main


def test_how_a_command_ends(monkeypatch):
    monkeypatch.delenv("GEM_TRACEBACK", raising=False)
    ends = {
        (lambda: None): None, (lambda: 1): 1, fails(KeyboardInterrupt()): 130,
        fails(ValueError("size=0:\n  too small")): "error: size=0: too small",
        fails(FileNotFoundError("there is no x")): "error: there is no x",
    }  # fmt: skip
    for main, code in ends.items():
        with pytest.raises(SystemExit) as caught:
            command(main)
        assert caught.value.code == code


@pytest.mark.parametrize("own", ["", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"])
def test_threads_that_wait_sleep_unless_the_environment_says_otherwise(own, monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        monkeypatch.setenv(name, "")  # so that it is as before when the test ends
        monkeypatch.delenv(name)
    if own:
        monkeypatch.setenv(own, "ACTIVE")
    found = {}
    with pytest.raises(SystemExit):
        command(lambda: found.update(os.environ))
    expected = {"": "PASSIVE", "OMP_WAIT_POLICY": "ACTIVE"}.get(own)
    assert found.get("OMP_WAIT_POLICY") == expected


def test_mistakes_of_ours_and_developers_have_a_traceback(monkeypatch):
    with pytest.raises(KeyError):
        command(fails(KeyError("ours")))
    monkeypatch.setenv("GEM_TRACEBACK", "1")
    with pytest.raises(ValueError, match="theirs"):
        command(fails(ValueError("theirs")))
