"""Segmenters that decide by themselves: which pixels count, and which scores there are."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from evaluation.data import load_card
from evaluation.measure.masks import MaskAccumulator
from evaluation.setting import EvalProtocol
from gem.resize import ShortSide
from gem.vocabulary import Queries

RULES = EvalProtocol(name="test", resize=ShortSide())
TRUTH = np.array([[0, 0, 1], [1, 2, 255]], np.uint8)
FOUND = torch.tensor([[0, 255, 1], [0, 2, 2]])  # one pixel without a prediction


def counted(name, found, *, decided=True):
    """The accumulator of a data set that has seen one image, decided as given."""
    card = load_card(name)
    words = tuple(card.classes)
    queries = Queries(torch.eye(len(words)), tuple(range(len(words))), False, words)
    one = MaskAccumulator(RULES, card, queries, decided=decided)
    image = SimpleNamespace(labels=found)
    for _ in one.count(image, TRUTH, lambda make, *given: make(*given)):
        pass
    return one.outcome()


def test_without_a_background_no_prediction_counts_against_the_class():
    outcome = counted("voc20", FOUND)
    matrix = np.array(outcome.counts["matrix"])
    assert matrix.shape == (20, 20)
    assert matrix[:3, :3].tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert matrix.sum() == 4
    assert outcome.counts["unpredicted"] == [1, *[0] * 19]
    scores = {score.name: (score.title, score.value) for score in outcome.scores}
    assert scores == {
        "miou": ("mIoU", pytest.approx((1 / 3 + 1 / 2 + 1) / 3)),
        "pixel_accuracy": ("pix acc", pytest.approx(3 / 5)),
    }
    labels = load_card("voc20").labels
    assert [outcome.per_class[name] for name in labels[:3]] == pytest.approx([1 / 3, 1 / 2, 1])


def test_with_a_background_every_pixel_has_a_label():
    outcome = counted("voc", FOUND.clamp(max=2))
    assert set(outcome.counts) == {"matrix"}
    assert np.array(outcome.counts["matrix"])[:3, :3].tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 1]]


def test_what_the_protocol_decides_has_all_scores():
    outcome = counted("voc", FOUND.clamp(max=2), decided=False)
    titles = {score.name: score.title for score in outcome.scores}
    assert titles == {
        "miou": "mIoU", "miou_foreground": "mIoU fg", "heatmap_iou": "map IoU",
        "pixel_accuracy": "pix acc",
    }  # fmt: skip
    assert set(outcome.counts) == {"matrix", "foreground", "heatmap"}
