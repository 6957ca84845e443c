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
    for method in ("clip", "gem"):
        for data in ("voc", "ade20k"):
            many.config((f"method={method}", f"dataset={data}", "limit=2"))
    assert asked == [
        (), ("method=clip",), ("dataset=voc",), ("limit=2",), ("dataset=ade20k",), ("method=gem",)
    ]  # fmt: skip


def test_equal_parts_are_one_object():
    first, other = (MANY(("dataset=voc", "method=clip", f"limit={n}")) for n in (2, 3))
    assert first.dataset is other.dataset
    assert first.protocol is other.protocol
    assert MANY(("dataset=voc20",)).dataset is not first.dataset


def test_a_config_is_not_changed_by_the_next():
    first = MANY.config(("dataset=voc",))
    before = OmegaConf.to_container(first, resolve=False)
    MANY.config(("dataset=voc20",))
    assert OmegaConf.to_container(first, resolve=False) == before


@pytest.mark.parametrize(
    "words",
    [
        ("backbone=tiny", "short_side=448"),  # 64 by the backbone, and the default by the word
        ("short_side=448", "backbone=tiny"),
        ("experiment=sclip", "method=gem", "gem.blocks=2"),
        ("experiment=resclip", "protocol=tcl", "dataset=voc20"),
        ("experiment=naclip_pamr", "protocol.windows.size=128", "method=clip", "dataset=voc"),
        ("experiment=released", "gem.iters=2"),
        ("method=clip", "backbone.weights=null"),
        ("segmenter=predictions", "segmenter.root=x", "dataset=voc"),
        ("limit=1", "limit=2", "dataset=voc", "dataset=voc20"),
    ],
    ids=" ".join,
)
def test_words_that_touch_the_same_key_are_composed_together(words):
    assert MANY(words) == compose_setting(words)
    assert OmegaConf.to_container(MANY.config(words)) == OmegaConf.to_container(
        compose_config(words)
    )


@pytest.mark.parametrize(
    "words", [("dataset=nope",), ("method=nope", "dataset=voc"), ("dataset.nope=1",), ("nope=1",)]
)
def test_the_same_mistakes(words):
    with pytest.raises(Exception) as whole:
        compose_setting(words)
    with pytest.raises(type(whole.value)) as joined:
        MANY(words)
    assert str(joined.value) == str(whole.value)
