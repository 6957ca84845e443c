"""Many settings composed part by part are those that Hydra composes as a whole."""

import pytest
from omegaconf import OmegaConf

from evaluation.launch import compose_config, compose_setting
from evaluation.launch import many as many_module
from evaluation.launch.many import Composer

MANY = Composer()
ROWS = [
    ("experiment=clearclip", "method=clip"),
    ("backbone=tiny", "protocol=sclip", "gem.iters=2"),
    ("experiment=released", "limit=3", "batch_size=2"),
]
DATA = [
    (), ("dataset=voc",), ("dataset=cityscapes", "dataset.root=x"),
    ("dataset=toy", "dataset.scenes=3"), ("dataset=openimages",),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
@pytest.mark.parametrize("data", DATA, ids=" ".join)
def test_the_same_config(row, data):
    words = (*data, *row)
    whole, joined = compose_config(words), MANY.config(words)
    for resolve in (False, True):
        assert OmegaConf.to_container(whole, resolve=resolve) == OmegaConf.to_container(
            joined, resolve=resolve
        )


def test_the_same_setting():
    words = ("dataset=cityscapes", *ROWS[0])
    assert MANY(words) == compose_setting(words)
    assert MANY(words).protocol.windows.size == 224  # of the protocol, by the data set


def test_each_part_is_composed_once(monkeypatch):
    asked, known = [], many_module.compose_config
    monkeypatch.setattr(
        many_module, "compose_config", lambda words: asked.append(words) or known(words)
    )
    many = Composer()
    for row in ROWS[:2]:
        for data in DATA[1:4]:
            many.config((*row, *data))
    assert asked == [(), DATA[1], ROWS[0], DATA[2], DATA[3], ROWS[1]]


def test_a_config_is_not_changed_by_the_next():
    first = MANY.config(("dataset=voc",))
    before = OmegaConf.to_container(first, resolve=False)
    MANY.config(("dataset=voc20",))
    assert OmegaConf.to_container(first, resolve=False) == before


def test_what_does_not_come_apart_is_composed_as_a_whole(monkeypatch):
    """A file of a data set that sets another part, or an experiment that sets the data set."""
    known = many_module.compose_config

    def composed(words):
        config = known(words)
        if "dataset=voc" in words:
            config.limit = 7
        return config

    monkeypatch.setattr(many_module, "compose_config", composed)
    many = Composer()
    assert many.config(("dataset=voc", "method=clip")).limit == 7
    assert many.config(("dataset=voc20", "method=clip")).limit is None


@pytest.mark.parametrize(
    "words", [("dataset=nope",), ("method=nope", "dataset=voc"), ("dataset.nope=1",), ("nope=1",)]
)
def test_the_same_mistakes(words):
    with pytest.raises(Exception) as whole:
        compose_setting(words)
    with pytest.raises(type(whole.value)) as joined:
        MANY(words)
    assert str(joined.value) == str(whole.value)
