"""The rule of small areas, worked by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from evaluation.measure import decision
from evaluation.measure.decision import label_map
from evaluation.measure.masks import MaskAccumulator
from evaluation.measure.thresholds import THRESHOLDS, ThresholdAccumulator
from evaluation.metrics.accumulator import count_together
from evaluation.setting import EvalProtocol
from gem.resize import ShortSide
from gem.vocabulary import Queries

CARD = SimpleNamespace(
    name="drawn", background=True, classes=("cat", "dog"), labels=("background", "cat", "dog")
)


def rules(**options):
    defaults = {"name": "test", "resize": ShortSide(), "logit_scale": 1.0, "background": None}
    return EvalProtocol(**defaults | options)


def asked(*index, background=True):
    words = tuple(map(str, range(len(index))))
    return Queries(torch.eye(len(index)), tuple(index), background=background, words=words)


def image_of(*pixels):
    """One row of pixels, each a list of what its words get."""
    maps = torch.tensor(pixels, dtype=torch.float32).T[:, None]
    return SimpleNamespace(scores=lambda _: maps, labels=None, nothing=lambda _: None, pixels=None)


# Six pixels of background and ten of cat, one of dog whose second best is cat, one whose second
# best is the background: dog has 2 of 12 pixels that are no background.
ROW = [[9, 0, 0]] * 6 + [[0, 9, 0]] * 10 + [[0, 4, 5], [4, 0, 5]]
AS_THEY_ARE = [0] * 6 + [1] * 10 + [2, 2]
WITHOUT_DOG = [0] * 6 + [1] * 10 + [1, 0]


def labels(threshold, *, background=None, reduce="max", queries=None):
    protocol = rules(area_threshold=threshold, background=background, reduce=reduce)
    found = label_map(
        image_of(*ROW), queries or asked(0, 1, 2), protocol, (1, len(ROW)), background=True
    )
    return found[0].tolist()


@pytest.mark.parametrize("reduce", ["max", "mean"])
def test_pixels_of_a_small_class_go_to_their_next_best(reduce):
    assert labels(None, reduce=reduce) == AS_THEY_ARE
    assert labels(0.1, reduce=reduce) == AS_THEY_ARE  # 2 > 1.2
    assert labels(0.2, reduce=reduce) == WITHOUT_DOG  # 2 < 2.4
    assert labels(1.0, reduce=reduce) == [0] * len(ROW)  # no class is more than all of them


def test_an_area_at_the_threshold_is_small():
    """One of four pixels is a quarter of them."""
    image = image_of([0, 9, 0], [0, 9, 0], [0, 9, 0], [1, 0, 9])
    found = label_map(image, asked(0, 1, 2), rules(area_threshold=0.25), (1, 4), background=True)
    assert found.tolist() == [[1, 1, 1, 0]]


def test_the_background_is_never_small():
    image = image_of([0, 9, 0], [0, 9, 0], [9, 0, 0])
    found = label_map(image, asked(0, 1, 2), rules(area_threshold=0.9), (1, 3), background=True)
    assert found.tolist() == [[1, 1, 0]]


def test_the_threshold_of_the_background_comes_after():
    """The best that is left has the probability that it had: e^4 / (e^4 + e^5 + 1) is 0.27."""
    assert labels(0.2, background=0.2) == WITHOUT_DOG
    assert labels(0.2, background=0.3)[-2:] == [0, 0]


def test_words_of_one_class_are_small_together():
    """Two words of a class win seven pixels each: fourteen of twenty are not small."""
    queries = asked(0, 1, 1, 2)
    row = [[0, 9, 0, 0]] * 7 + [[0, 0, 9, 0]] * 7 + [[5, 0, 4, 9]] * 6
    found = label_map(image_of(*row), queries, rules(area_threshold=0.3), (1, 20), background=True)
    assert found.tolist() == [[1] * 14 + [0] * 6]


def test_areas_are_those_of_the_whole_image(monkeypatch):
    """In bands of one row, each of which would drop another class."""
    maps = torch.randn(3, 8, 5, generator=torch.Generator().manual_seed(0))
    maps[2] -= 1.0  # wins few pixels
    image = SimpleNamespace(scores=lambda _: maps, labels=None, nothing=lambda _: None, pixels=None)
    protocol, queries = rules(area_threshold=0.3), asked(0, 1, 2)
    whole = label_map(image, queries, protocol, (16, 10), background=True)
    free = label_map(image, queries, rules(), (16, 10), background=True)
    assert 0 < (free == 2).sum() <= 0.3 * (free > 0).sum()
    assert (whole == 2).sum() == 0
    assert torch.equal(whole[free != 2], free[free != 2])
    monkeypatch.setattr(decision, "LARGE", 1)
    assert torch.equal(label_map(image, queries, protocol, (16, 10), background=True), whole)


def test_every_threshold_sees_the_same_decision():
    protocol, truth = rules(area_threshold=0.2, background=0.5), np.array([[0] * 9 + [1] * 9])
    every = ThresholdAccumulator(protocol, CARD, asked(0, 1, 2))
    one = MaskAccumulator(protocol, CARD, asked(0, 1, 2))
    count_together([every, one], image_of(*ROW), truth)
    expected = every.matrices()[THRESHOLDS.index(0.5)]
    assert torch.equal(one.matrix.compute(), expected)
    assert expected[:, 2].sum() == 0


@pytest.mark.parametrize("kind", [MaskAccumulator, ThresholdAccumulator])
def test_without_words_for_the_background_there_is_none_to_fall_to(kind):
    said = (
        "protocol.area_threshold=0.1: the vocabulary has no words for the background, expected "
        "some (vocabulary=sclip has them on VOC), or null"
    )
    protocol, queries = rules(area_threshold=0.1, background=0.5), asked(0, 1, background=False)
    with pytest.raises(ValueError) as caught:
        kind(protocol, CARD, queries)
    assert str(caught.value) == said
    with pytest.raises(ValueError) as caught:
        label_map(image_of([1, 2]), queries, protocol, (1, 1), background=True)
    assert str(caught.value) == said


def test_settings_share_the_maps_that_both_decisions_need(monkeypatch):
    """Areas first, then labels, under two thresholds: the maps are upsampled once."""
    done, upsample = [], decision.upsample
    monkeypatch.setattr(decision, "upsample", lambda *given: done.append(1) or upsample(*given))
    image, queries, truth = image_of(*ROW), asked(0, 1, 2), np.array([[0] * 9 + [1] * 9])
    settings = [
        MaskAccumulator(rules(area_threshold=0.2, background=share), CARD, queries)
        for share in (0.2, 0.3)
    ]
    count_together(settings, image, truth)
    assert len(done) == 1
    assert not torch.equal(settings[0].matrix.compute(), settings[1].matrix.compute())
