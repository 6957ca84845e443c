"""Searching thresholds and scales in one pass."""

from dataclasses import replace

import pytest
from drawn import Noise, setting_of

from evaluation.measure.evaluate import evaluate, evaluate_all
from evaluation.run.tune import THRESHOLDS, ThresholdAccumulator, _tally, search
from gem.methods import Clip, Gem


@pytest.fixture(scope="module")
def setting(small):
    return setting_of(small)


def with_threshold(setting, threshold):
    return replace(setting, protocol=replace(setting.protocol, background=threshold))


def test_every_matrix_is_that_of_an_evaluation_with_the_threshold(setting):
    made = []

    def keep(own, queries):
        made.append(_tally(own, queries))
        return made[-1]

    evaluate_all([setting], count=keep)
    (tally,) = made
    assert isinstance(tally, ThresholdAccumulator)
    matrices = tally.matrices().tolist()
    for index in (0, 20, 30, 45, 70, 99):
        alone = evaluate(with_threshold(setting, THRESHOLDS[index])).outcome
        assert matrices[index] == alone.counts["matrix"], THRESHOLDS[index]
    assert matrices[0] != matrices[70] != matrices[99]  # else nothing was searched


def test_the_best_trial_is_first_and_is_what_an_evaluation_gives(setting):
    trials = search(setting, logit_scales=[20.0, 100.0], temperature_scales=[0.5, 1.0])
    assert len(trials) == 4
    best = trials[0]
    assert best.miou == max(value for trial in trials for value in trial.curve)
    again = replace(
        setting,
        method=Gem(temperature_scale=best.temperature_scale),
        protocol=replace(
            setting.protocol, logit_scale=best.logit_scale, background=best.background
        ),
    )
    assert evaluate(again).outcome.scores["miou"] == best.miou


def test_without_a_background_there_is_no_threshold(setting):
    plain = replace(setting, dataset=Noise(background=False))
    (trial,) = search(plain, logit_scales=[], temperature_scales=[])
    assert trial.background is None
    assert trial.curve is None
    assert trial.miou == evaluate(plain).outcome.scores["miou"]


def test_temperatures_are_of_gem(setting):
    with pytest.raises(ValueError, match="temperature scales are of method=gem"):
        search(replace(setting, method=Clip()), logit_scales=[], temperature_scales=[2.0])
