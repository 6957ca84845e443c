"""The matrix of every threshold is the one that is counted with it, also where it is met."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from evaluation.measure.masks import MaskAccumulator
from evaluation.measure.thresholds import THRESHOLDS, ThresholdAccumulator
from evaluation.metrics.accumulator import count_together
from evaluation.setting import EvalProtocol
from gem.resize import ShortSide
from gem.vocabulary import Queries

RULES = EvalProtocol(name="test", resize=ShortSide(), logit_scale=1.0, reduce="mean")
CARD = SimpleNamespace(
    name="drawn", background=True, classes=("cat", "dog"), labels=("background", "cat", "dog")
)


@pytest.mark.parametrize("asked", [False, True])
def test_every_threshold_as_if_it_were_the_only_one(asked):
    """The last pixel's probabilities are equal: 1/2 exactly, which passes 0.5; or 1/3."""
    words = 3 if asked else 2
    maps = torch.tensor([[[2.0, 0.0, 0.3, 1.0]], [[0.0, 3.0, 0.0, 1.0]], [[0.1, 0.2, 0.9, 1.0]]])
    image = SimpleNamespace(
        scores=lambda _: maps[:words], labels=None, nothing=lambda _: None, pixels=None
    )
    queries = Queries(
        torch.eye(words), tuple(range(words)), background=asked, words=("a", "b", "c")[:words]
    )
    truth = np.array([[0, 1, 2, 1]])
    every = ThresholdAccumulator(RULES, CARD, queries)
    count_together([every], image, truth)
    for threshold, matrix in zip(THRESHOLDS, every.matrices(), strict=True):
        alone = MaskAccumulator(replace(RULES, background=threshold), CARD, queries)
        count_together([alone], image, truth)
        assert matrix.tolist() == alone.matrix.compute().tolist(), threshold
    titles = [(one.name, one.title) for one in every.outcome().scores]
    assert titles == [("miou", "mIoU"), ("background", "threshold")]
