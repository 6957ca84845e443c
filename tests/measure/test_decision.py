"""From maps to decisions, on maps whose answer is known by hand."""

from types import SimpleNamespace

import pytest
import torch

from evaluation.measure import decision
from evaluation.measure.decision import bands, check_queries, class_maps, label_map, min_max_at
from evaluation.setting import EvalProtocol
from gem.resize import ShortSide
from gem.vocabulary import Queries

RULES = EvalProtocol(name="test", resize=ShortSide(), logit_scale=1.0, background=0.6)


def queries(*index, background=False):
    words = tuple(map(str, index))
    return Queries(torch.eye(len(index)), tuple(index), background=background, words=words)


def encoded(*maps, labels=None, nothing=None):
    """An image whose segmenter gives these maps; each is a list of rows."""
    found = None if nothing is None else torch.tensor(nothing)
    return SimpleNamespace(
        scores=lambda _: torch.tensor(maps), labels=labels, nothing=lambda _: found
    )


def test_a_map_is_scaled_by_its_highest_and_lowest_pixel():
    maps = torch.tensor([[[1.0, 3.0], [2.0, 5.0]], [[-1.0, -1.0], [0.0, -0.5]]])
    expected = torch.tensor([[[0.0, 0.5], [0.25, 1.0]], [[0.0, 0.0], [1.0, 0.5]]])
    assert torch.equal(min_max_at(maps, (2, 2)), expected)


def test_the_extremes_are_those_of_pixels_and_not_of_patches():
    """Of two patches over one pixel, the pixel has the mean: no span is left."""
    assert min_max_at(torch.tensor([[[0.0, 1.0]]]), (1, 1)).tolist() == [[[0.0, 0.0]]]


def test_bands_see_the_extremes_of_the_whole(monkeypatch):
    maps = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    whole = min_max_at(maps, (10, 8))
    monkeypatch.setattr(decision, "BAND", 3 * 8 * 3)  # three rows of the three maps
    torch.testing.assert_close(min_max_at(maps, (10, 8)), whole, atol=1e-6, rtol=0)


def test_bands_cover_every_row_once():
    found = list(bands((7, 4), 2, room=24))
    assert found == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert list(bands((2, 40), 2, room=24)) == [slice(0, 1), slice(1, 2)]  # a row is the least


def test_a_constant_map_is_zero():
    assert min_max_at(torch.full((1, 2, 2), 0.7), (4, 4)).tolist() == [[[0.0, 0.0]] * 2]


def test_labels_are_the_best_words():
    image = encoded([[2.0, 0.0, 0.1]], [[0.0, 3.0, 0.0]])
    assert label_map(image, queries(0, 1), RULES, (1, 3), background=False).tolist() == [[0, 1, 0]]


def test_what_is_uncertain_is_background():
    """Of two words with scale 1 a lead of 0.1 is a probability of 0.52, under 0.6."""
    image = encoded([[2.0, 0.0, 0.1]], [[0.0, 3.0, 0.0]])
    assert label_map(image, queries(0, 1), RULES, (1, 3), background=True).tolist() == [[1, 2, 0]]


def test_labels_of_bands_are_put_together(monkeypatch):
    monkeypatch.setattr(decision, "BAND", 1)
    image = encoded([[2.0], [0.0]], [[0.0], [3.0]])
    assert label_map(image, queries(0, 1), RULES, (2, 1), background=False).tolist() == [[0], [1]]


def test_a_segmenter_that_decides_is_believed():
    labels = torch.tensor([[3, 1]])
    image = encoded([[2.0, 0.0]], labels=labels)
    assert label_map(image, queries(0), RULES, (1, 2), background=True) is labels


@pytest.mark.parametrize(
    ("background", "asked", "expected"),
    [
        (True, queries(0, 1), [[1, 2, 0]]),
        (True, queries(0, 1, background=True), [[0, 1, 0]]),
        (False, queries(0, 1), [[0, 1, 255]]),  # no prediction: there is no such label
    ],
)
def test_a_rule_of_the_segmenters_own(background, asked, expected):
    """Words must exceed the score of nothing; neither threshold nor scale of the protocol count."""
    image = encoded([[0.3, 0.0, 0.2]], [[0.0, 0.21, 0.2]], nothing=[[0.2, 0.2, 0.2]])
    rules = EvalProtocol(name="test", resize=ShortSide(), background=None, min_max=True)
    found = label_map(image, asked, rules, (1, 3), background=background)
    assert found.tolist() == expected


def test_nothing_is_upsampled_as_the_words_are():
    image = encoded([[1.0, 1.0]], nothing=[[0.0], [2.0]])
    found = label_map(image, queries(0), RULES, (4, 2), background=True)
    assert found.tolist() == [[1, 1], [1, 1], [0, 0], [0, 0]]


def test_a_class_has_the_highest_of_its_words():
    maps = torch.tensor([[[1.0, 0.0]], [[0.5, 0.7]], [[0.2, 0.9]]])
    assert class_maps(maps, queries(0, 0, 1)).tolist() == [
        [[1.0, torch.tensor(0.7).item()]],
        [[torch.tensor(0.2).item(), torch.tensor(0.9).item()]],
    ]
    assert len(class_maps(maps, queries(0, 1, 2, background=True))) == 2


def card(*, background):
    classes = ("cat", "dog")
    labels = ("background", *classes) if background else classes
    return SimpleNamespace(name="drawn", background=background, classes=classes, labels=labels)


@pytest.mark.parametrize(
    ("background", "asked"),
    [(False, queries(0, 1)), (True, queries(0, 1)), (True, queries(0, 1, 2, background=True))],
)
def test_words_that_stand_for_the_labels(background, asked):
    check_queries(card(background=background), asked)


@pytest.mark.parametrize(
    ("background", "asked", "said"),
    [
        (
            False,
            queries(0, 1, background=True),
            "the vocabulary asks for a background, but drawn has none",
        ),
        (True, queries(0, 1, background=True), "the vocabulary has 2 classes, but drawn has 3"),
        (True, queries(0, 1, 2), "the vocabulary has 3 classes, but drawn has 2"),
        (False, queries(0), "the vocabulary has 1 classes, but drawn has 2"),
    ],
)
def test_words_that_do_not(background, asked, said):
    with pytest.raises(ValueError, match=f"^{said}$"):
        check_queries(card(background=background), asked)
