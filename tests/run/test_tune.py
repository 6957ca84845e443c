"""Searching thresholds and scales in one pass."""

from dataclasses import replace

import pytest
from drawn import Noise, scores_of, setting_of, with_backbone, with_method

from evaluation.measure import Thresholds
from evaluation.measure.evaluate import evaluate
from evaluation.measure.thresholds import THRESHOLDS, ThresholdAccumulator
from evaluation.run import tune
from evaluation.run.tune import Trial, beyond, search, search_on
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


def trial(scale, heat=1.0, miou=0.5, background=0.5):
    return Trial("", heat, scale, background, miou, None)


@pytest.mark.parametrize(
    ("best", "grids", "more"),
    [
        (trial(100), {"logit_scales": (50, 100, 200)}, {}),
        (trial(200), {"logit_scales": (50, 100, 200)}, {"logit_scales": 400}),
        (trial(50), {"logit_scales": (200, 50, 100)}, {"logit_scales": 25}),
        (trial(50), {"logit_scales": (50,)}, {}),
        (trial(50, 2.0), {"logit_scales": (), "temperature_scales": (1.0, 2.0)},
         {"temperature_scales": 4.0}),
        (trial(50, None), {"temperature_scales": ()}, {}),
    ],
)  # fmt: skip
def test_the_next_value_of_a_grid(best, grids, more):
    assert beyond(best, grids) == more


@pytest.fixture
def searched(monkeypatch, setting):
    """A search whose mIoU is that of the logit scale by a rule: nothing is evaluated."""

    def run(rule, *, background=0.5, **grids):
        asked, told = [], []

        def search(_, *, logit_scales, temperature_scales, **_rest):
            asked.append((logit_scales, temperature_scales))
            scales = logit_scales or (100.0,)
            found = [trial(one, miou=rule(one), background=background) for one in scales]
            return sorted(found, key=lambda one: -one.miou)

        monkeypatch.setattr(tune, "search", search)
        grids = {"logit_scales": (), "temperature_scales": ()} | grids
        return search_on(setting, grids, tell=told.append), asked, told

    return run


def test_a_grid_is_extended_until_the_best_is_inside(searched):
    trials, asked, told = searched(lambda one: -abs(one - 210), logit_scales=(50.0, 100.0))
    assert [one.logit_scale for one in trials] == [200, 100, 50, 400]
    assert [scales for scales, _ in asked] == [(50, 100), (200,), (400,)]
    assert told == [
        "the best is at the edge of logit_scales: 200 is tried too",
        "the best is at the edge of logit_scales: 400 is tried too",
    ]


def test_not_without_end(searched):
    trials, asked, told = searched(lambda one: one, logit_scales=(50.0, 100.0))
    assert (len(asked), trials[0].logit_scale) == (4, 800)
    assert told[-1] == "the best is at the edge of logit_scales: it may lie further out"


def test_one_value_is_no_grid(searched):
    assert searched(lambda one: one, logit_scales=(50.0,))[1:] == ([((50,), ())], [])


def test_a_threshold_at_the_edge_is_told(searched):
    said = ["the best is at the edge of the thresholds: it may lie further out"]
    assert searched(lambda one: one, background=0.99)[2] == said
    assert searched(lambda one: one, background=None)[2] == []
