"""PAMR: against loops over pixels, and in bands."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from drawn import setting_of
from pydantic import ValidationError

from evaluation.data import ToyPoints, Words
from evaluation.measure import decision
from evaluation.measure.decision import label_map
from evaluation.measure.evaluate import evaluate, evaluate_all
from evaluation.measure.refinement import affinity, propagate, refined
from evaluation.setting import EvalProtocol, Pamr
from gem.image import upsample
from gem.resize import ShortSide
from gem.vocabulary import Queries

RULE = Pamr(steps=3, dilations=(1, 3))


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def at(values, y, x):
    """The pixel there; beyond the border the one at the border."""
    height, width = values.shape[-2:]
    return values[..., min(max(y, 0), height - 1), min(max(x, 0), width - 1)]


AROUND = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def naive_weights(image, y, x, dilations):
    """Softmax over the neighbours of the mean of -|x - x_n| / (1e-8 + 0.1 sigma)."""
    near = [at(image, y + d * dy, x + d * dx) for d in dilations for dy, dx in AROUND]
    centre = at(image, y, x)
    sigma = np.std(np.array([*near, *[centre] * len(dilations)]), axis=0, ddof=1)
    powers = np.array([-np.mean(np.abs(centre - one) / (1e-8 + 0.1 * sigma)) for one in near])
    shares = np.exp(powers - powers.max())
    return shares / shares.sum()


def naive(maps, image, rule):
    maps, image = maps.double().numpy(), image.double().numpy()
    for _ in range(rule.steps):
        after = np.zeros_like(maps)
        for y, x in np.ndindex(maps.shape[1:]):
            weights = naive_weights(image, y, x, rule.dilations)
            near = [at(maps, y + d * dy, x + d * dx) for d in rule.dilations for dy, dx in AROUND]
            after[:, y, x] = sum(w * one for w, one in zip(weights, near, strict=True))
        maps = after
    return maps


def test_against_loops():
    image, maps = noise(3, 9, 7), noise(2, 9, 7, seed=1)
    weights = affinity(image, RULE.dilations)
    assert weights.shape == (16, 9, 7)
    torch.testing.assert_close(weights.sum(dim=0), torch.ones(9, 7))
    found = propagate(maps, weights, RULE)
    np.testing.assert_allclose(found.numpy(), naive(maps, image, RULE), atol=2e-6)


def test_a_step_by_hand():
    """On an image of one colour all neighbours are alike: the mean of the eight."""
    maps = torch.zeros(1, 3, 3)
    maps[0, 1, 1] = 8.0
    rule = Pamr(steps=1, dilations=(1,))
    found = propagate(maps, affinity(torch.full((3, 3, 3), 0.4), (1,)), rule)
    assert found[0].tolist() == [[1, 1, 1], [1, 0, 1], [1, 1, 1]]


def test_maps_stay_on_their_side_of_an_edge():
    """Black left, white right: what is on one side is not mixed with the other."""
    image = torch.zeros(3, 12, 12)
    image[:, :, 6:] = 1.0
    maps = torch.zeros(1, 12, 12)
    maps[:, :, 6:] = 1.0
    found = propagate(maps, affinity(image, (1, 2)), Pamr(steps=10, dilations=(1, 2)))
    assert found[0, :, :6].max() < 0.01
    assert found[0, :, 6:].min() > 0.99


def test_no_steps_change_nothing():
    maps = noise(2, 5, 6)
    rule = Pamr(steps=0)
    found = refined(maps, noise(3, 8, 8), rule, (20, 17), slice(0, 20), room=10**9)
    assert torch.equal(found, upsample(maps, (20, 17)))


@pytest.mark.parametrize("room", [1, 500, 10**9])
@pytest.mark.parametrize("step", [1, 4, 11, 30])
def test_bands_and_chunks_are_the_whole(room, step):
    maps, pixels, size = noise(5, 4, 6), noise(3, 16, 24, seed=2), (30, 21)
    whole = propagate(upsample(maps, size), affinity(upsample(pixels, size), (1, 3)), RULE)
    parts = [
        refined(maps, pixels, RULE, size, slice(top, min(top + step, 30)), room=room)
        for top in range(0, 30, step)
    ]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-6, rtol=0)


def test_each_channel_may_be_scaled():
    """As by another model's normalisation."""
    image, scale = noise(3, 8, 8), torch.tensor([0.5, 3.0, 7.0])[:, None, None]
    torch.testing.assert_close(affinity(image * scale + 2, (1, 3)), affinity(image, (1, 3)))


def rules(**options):
    defaults = {"name": "test", "resize": ShortSide(), "logit_scale": 5.0, "background": None}
    return EvalProtocol(**defaults | options)


ASKED = Queries(torch.eye(3), (0, 1, 2), background=False, words=("a", "b", "c"))


def test_the_decision_is_of_refined_maps(monkeypatch):
    maps, pixels = noise(3, 4, 4), noise(3, 16, 16, seed=3)
    image = SimpleNamespace(
        scores=lambda _: maps, labels=None, nothing=lambda _: None, pixels=pixels
    )
    protocol = rules(pamr=RULE)
    whole = label_map(image, ASKED, protocol, (19, 23), background=False)
    fine = refined(maps, pixels, RULE, (19, 23), slice(0, 19), room=10**9)
    assert torch.equal(whole, fine.argmax(dim=0))
    assert not torch.equal(whole, label_map(image, ASKED, rules(), (19, 23), background=False))
    monkeypatch.setattr(decision, "LARGE", 3 * 23 * 4)  # four rows of the three maps
    assert torch.equal(label_map(image, ASKED, protocol, (19, 23), background=False), whole)


def test_a_segmenter_without_an_image_cannot_be_refined():
    image = SimpleNamespace(
        scores=lambda _: noise(3, 2, 2), labels=None, nothing=lambda _: None, pixels=None
    )
    with pytest.raises(ValueError) as caught:
        label_map(image, ASKED, rules(pamr=Pamr()), (4, 4), background=False)
    assert str(caught.value) == (
        "protocol.pamr: the segmenter keeps no image that maps could be refined by, expected "
        "protocol.pamr=null"
    )


def test_settings_share_what_is_refined(small, monkeypatch):
    """Two thresholds, whose rules are equal but not one object: each image is refined once."""
    setting = setting_of(small, limit=3)
    rules_of = [
        replace(setting.protocol, pamr=Pamr(steps=2, dilations=(1,)), background=share)
        for share in (0.3, 0.6)
    ]
    both = [replace(setting, protocol=one) for one in rules_of]
    alone = [evaluate(one).outcome for one in both]
    assert alone[1] != evaluate(setting).outcome
    done = []
    monkeypatch.setattr(
        decision, "refined", lambda *given, **room: done.append(1) or refined(*given, **room)
    )
    assert [one.outcome for one in evaluate_all(both)] == alone
    assert len(done) == 3


def test_the_published_rule():
    assert (Pamr().steps, Pamr().dilations, Pamr().reach) == (10, (8, 16), 160)


@pytest.mark.parametrize("wrong", [{"steps": -1}, {"dilations": ()}, {"dilations": (0,)}], ids=str)
def test_wrong_values(wrong):
    with pytest.raises(ValidationError):
        Pamr(**wrong)


@pytest.mark.parametrize("rule", [{"pamr": Pamr()}, {"area_threshold": 0.1}], ids=str)
def test_rules_of_masks_are_refused_for_points(rule, small):
    """Nobody would apply them, and the record would say that they were."""
    points = replace(setting_of(small), dataset=ToyPoints(scenes=2), vocabulary=Words())
    asked = replace(points, protocol=replace(points.protocol, **rule))
    with pytest.raises(ValueError, match=f"^protocol.{next(iter(rule))} refines masks, but toy"):
        evaluate(asked)
