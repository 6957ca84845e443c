"""States of accumulators are added: parts of the data, counted apart, give what the whole gives."""

from dataclasses import replace

import pytest
import torch
from drawn import setting_of

from evaluation.data import Toy, ToyPoints
from evaluation.measure import ByTask, Thresholds
from evaluation.measure.counting import count_chunks, start_counting


def counted(setting, ids):
    """The accumulator of a setting that has seen these samples."""
    (one,) = start_counting([setting])
    for _ in count_chunks([one], [ids] if ids else []):
        pass
    return one.accumulator


@pytest.fixture(params=["masks", "thresholds", "points"])
def setting(request, tiny):
    dataset = ToyPoints(scenes=6, size=32) if request.param == "points" else Toy(scenes=6, size=32)
    metric = Thresholds() if request.param == "thresholds" else ByTask()
    return replace(setting_of(tiny, dataset=dataset), metric=metric)


@pytest.fixture(scope="module")
def tiny():
    from gem.backbones import OpenClip

    return OpenClip(model="tiny", weights="embedded", quick_gelu=False, device="cpu")


def test_parts_are_added_up(setting):
    whole, sums = counted(setting, setting.ids), counted(setting, setting.ids[:1])
    for ids in (setting.ids[1:2], (), setting.ids[2:]):
        sums.add(counted(setting, ids).state())
    assert sums.outcome() == whole.outcome()
    state, expected = sums.state(), whole.state()
    assert state.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(state[name], value)


def test_whoever_has_seen_nothing_adds_nothing(setting):
    one, other = counted(setting, ()), counted(setting, ())
    before = {name: value.clone() for name, value in one.state().items()}
    one.add(other.state())
    for name, value in one.state().items():
        assert torch.equal(value, before[name])
        assert value.dtype == torch.int64
        assert not value.any()
