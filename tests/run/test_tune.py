"""Searching thresholds and scales in one pass."""

from dataclasses import replace

import pytest
from drawn import Noise, scores_of, setting_of, with_backbone, with_method

from evaluation.measure import Thresholds
from evaluation.measure.evaluate import evaluate
from evaluation.measure.thresholds import THRESHOLDS, ThresholdAccumulator
from evaluation.run.tune import search
from gem.methods import Clip, Gem


@pytest.fixture(scope="module")
def setting(small):
    return setting_of(small)


def with_threshold(setting, threshold):
    return replace(setting, protocol=replace(setting.protocol, background=threshold))


def test_every_matrix_is_that_of_an_evaluation_with_the_threshold(setting, monkeypatch):
    made = []
    whole = ThresholdAccumulator.outcome
    monkeypatch.setattr(
        ThresholdAccumulator, "outcome", lambda self: made.append(self) or whole(self)
    )
    evaluate(replace(setting, metric=Thresholds()))
    (accumulator,) = made
    matrices = accumulator.matrices().tolist()
    for index in (0, 20, 30, 45, 70, 99):
        alone = evaluate(with_threshold(setting, THRESHOLDS[index])).outcome
        assert matrices[index] == alone.counts["matrix"], THRESHOLDS[index]
    assert matrices[0] != matrices[70] != matrices[99]  # else nothing was searched


def test_scales_that_the_precision_does_not_hold(setting):
    half = replace(setting.segmenter.backbone, precision="fp16", weights="no such tag")
    with pytest.raises(
        ValueError, match=r"^gem\.temperature_scale=1e\+06: backbone\.precision=fp16"
    ):
        search(with_backbone(setting, half), logit_scales=[], temperature_scales=[1.0, 1e6])


def test_the_best_trial_is_first_and_is_what_an_evaluation_gives(setting):
    trials = search(setting, logit_scales=[20.0, 100.0], temperature_scales=[0.5, 1.0])
    assert len(trials) == 4
    best = trials[0]
    assert best.miou == max(value for trial in trials for value in trial.curve)
    again = with_method(
        setting,
        Gem(temperature_scale=best.temperature_scale),
        protocol=replace(
            setting.protocol, logit_scale=best.logit_scale, background=best.background
        ),
    )
    assert scores_of(evaluate(again).outcome)["miou"] == best.miou


def test_without_a_background_there_is_no_threshold(setting):
    plain = replace(setting, dataset=Noise(background=False))
    (trial,) = search(plain, logit_scales=[], temperature_scales=[])
    assert trial.background is None
    assert trial.curve is None
    assert trial.miou == scores_of(evaluate(plain).outcome)["miou"]


def test_temperatures_are_of_gem(setting):
    with pytest.raises(ValueError, match="temperature scales are of method=gem"):
        search(with_method(setting, Clip()), logit_scales=[], temperature_scales=[2.0])
