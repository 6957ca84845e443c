"""How maps become labels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evaluation.setting import EvalProtocol
from gem.resize import ShortSide
from gem.vocabulary import Queries


def protocol(**options):
    return EvalProtocol(**{"name": "test", "resize": ShortSide(), **options})


def queries(index, *, background=False):
    words = tuple(map(str, range(len(index))))
    return Queries(torch.eye(len(index)), tuple(index), background=background, words=words)


def row(*words):
    """Maps over one row of pixels, one list per word."""
    return torch.tensor(words, dtype=torch.float32)[:, None]


def labels(rules, maps, asked, *, background):
    """As `evaluation.measure.decision.label_map` asks for them."""
    best, certainty = rules.answer(maps, asked)
    return rules.label(best, certainty, asked) if background else best


def naive(cosines, owner, *, scale, reduce, threshold):
    """Softmax over all words, one pixel after the other; background under the threshold.

    With how clear each label is: the least distance of a probability from what it is held against.
    """
    labels, margins = [], []
    for pixel in np.asarray(cosines, dtype=np.float64).reshape(len(owner), -1).T:
        shares = np.exp(scale * (pixel - pixel.max()))
        shares /= shares.sum()
        merge = {"max": np.max, "mean": np.mean}[reduce]
        classes = [merge(shares[np.array(owner) == c]) for c in range(max(owner) + 1)]
        second, best = np.argsort(classes)[-2:]
        under = classes[best] < threshold
        labels.append(0 if under else int(best) + 1)
        lead = np.inf if under else classes[best] - classes[second]
        margins.append(min(lead, abs(classes[best] - threshold)))
    return labels, margins


def test_the_threshold_by_hand():
    """Two words, scale 1: the probability of a lead of log(p / (1 - p)) is p."""
    leads = [np.log(p / (1 - p)) for p in (0.6, 0.84, 0.86, 0.99)]
    maps = row([*leads, 0.0], [0.0] * 4 + [3.0])
    found = labels(protocol(logit_scale=1.0), maps, queries([0, 1]), background=True)
    assert found.tolist() == [[0, 0, 1, 1, 2]]


def test_without_a_background_the_best_word_wins():
    maps = row([0.1, 0.5, 0.3], [0.2, 0.4, 0.3])
    found = labels(protocol(), maps, queries([0, 1]), background=False)
    assert found.tolist() == [[1, 0, 0]]


def test_the_logit_scale_makes_the_threshold_reachable():
    """Twenty cosines never reach 0.85 by themselves: e / (e + 19) is 0.125."""
    maps = torch.zeros(20, 1, 1)
    maps[7] = 1.0
    asked = queries(list(range(20)))
    assert labels(protocol(logit_scale=1.0), maps, asked, background=True).item() == 0
    assert labels(protocol(logit_scale=100.0), maps, asked, background=True).item() == 8


def test_words_of_a_class_by_the_best_or_by_the_mean():
    """Probabilities 0.5, 0.1 | 0.4: the best word is class 0's, the best mean class 1's."""
    maps = row([np.log(0.5)], [np.log(0.1)], [np.log(0.4)])
    rules = {"logit_scale": 1.0, "background": 0.0}
    found = {
        reduce: protocol(reduce=reduce, **rules).answer(maps, queries([0, 0, 1]))
        for reduce in ("max", "mean")
    }
    assert found["max"][0].item() == 0
    assert found["max"][1]().item() == pytest.approx(0.5)
    assert found["mean"][0].item() == 1
    assert found["mean"][1]().item() == pytest.approx(0.4)


@given(
    seed=st.integers(0, 1000),
    owner=st.sampled_from([[0, 1], [0, 0, 1], [0, 1, 1, 2, 2, 2], list(range(9))]),
    reduce=st.sampled_from(["max", "mean"]),
    scale=st.sampled_from([1.0, 40.0, 100.0]),
    threshold=st.sampled_from([0.1, 0.4, 0.85]),
)
def test_against_a_softmax_pixel_by_pixel(seed, owner, reduce, scale, threshold):
    maps = torch.rand(len(owner), 4, 5, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    rules = protocol(logit_scale=scale, reduce=reduce, background=threshold)
    found = labels(rules, maps, queries(owner), background=True).flatten().tolist()
    expected, margins = naive(maps, owner, scale=scale, reduce=reduce, threshold=threshold)
    assert all(one == other for one, other, margin in zip(found, expected, margins, strict=True)
               if margin > 1e-4)  # fmt: skip
    assert sum(margin <= 1e-4 for margin in margins) <= 2


def test_a_background_that_is_asked_in_words():
    """Class 0 is the background itself; the threshold, if there is one, adds to it."""
    maps = row([3.0, 0.0, 0.0], [0.0, 3.0, 0.2])
    asked = queries([0, 1], background=True)
    by_words = protocol(logit_scale=1.0, background=None)
    assert labels(by_words, maps, asked, background=True).tolist() == [[0, 1, 1]]
    both = protocol(logit_scale=1.0, background=0.9)
    assert labels(both, maps, asked, background=True).tolist() == [[0, 1, 0]]


def test_no_rule_for_the_background():
    with pytest.raises(ValueError) as caught:
        labels(protocol(background=None), torch.zeros(2, 1, 1), queries([0, 1]), background=True)
    assert str(caught.value) == (
        "protocol.background is null in protocol test, but the data set has a background class: "
        "set a threshold in [0, 1]"
    )


@pytest.mark.parametrize(
    "wrong", [{"background": 1.1}, {"logit_scale": 0}, {"reduce": "sum"}, {"min_max": 1}], ids=str
)
def test_wrong_values(wrong):
    with pytest.raises(ValidationError):
        protocol(**wrong)
