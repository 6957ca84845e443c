"""What a layer holds between methods: shared work, in bounded memory."""

import pytest
import torch

from gem import trace
from gem.methods import ClipSurgery, Gem


@pytest.mark.parametrize("order", [(3, 1, 2), (0, 1, 2, 3), (2, 2, 0)])
def test_iterations_are_shared_in_any_order(order, small, images):
    shared = small.trace(images, keep=4)
    for iters in order:
        fresh = Gem(iters=iters)(small.trace(images, keep=4))
        assert torch.equal(Gem(iters=iters)(shared), fresh)


@pytest.fixture
def attended(monkeypatch):
    """Grows by one with every attention that is computed."""
    from gem import self_attention

    found, attend = [], self_attention.attend
    for module in (self_attention, trace):  # steps, and readings of the values
        monkeypatch.setattr(module, "attend", lambda *a: found.append(1) or attend(*a))
    return found


def test_attended_values_are_computed_once(small, images, attended):
    layer = small.trace(images, keep=1).layers[0]
    for iters in (1, 2, 2, 1):
        layer.attended("q", Gem(iters=iters).attention)
    assert len(attended) == 4  # two steps, two readings


def test_an_update_is_shared_by_all_depths(small, images, attended):
    shared = small.trace(images, keep=5)
    for blocks in (1, 5, 3):
        Gem(blocks=blocks)(shared)
    assert len(attended) == 5 * 3 * 2  # layers, projections, a step and a reading


def test_what_a_layer_holds_is_bounded(small, images):
    """As many settings as a sweep has: two readings and the points of one kind of step."""
    layer = small.trace(images, keep=1).layers[0]
    for scale in (0.5, 1.0, 2.0):
        for iters in range(3):
            method = Gem(iters=iters, temperature_scale=scale)
            layer.update(method.projections, method.attention)
            assert len(layer._read) <= 2
    assert layer._steps.step == Gem(temperature_scale=2.0).attention.step
    assert {name: done for name, (done, _) in layer._steps.points.items()} == dict.fromkeys(
        "qkv", 2
    )


def test_projections_and_block_can_be_read(small, images):
    """What a method of its own attention needs: nothing of a layer is hidden."""
    layer = small.trace(images, keep=1).layers[0]
    for name in "qkv":
        assert layer.projected(name) is getattr(layer, name)
        assert torch.equal(
            layer.block.head(layer.block.norm(layer.resid), name), getattr(layer, name)
        )


def test_the_steps_of_v_v_attention_are_the_values(small, images):
    layer = small.trace(images, keep=1).layers[0]
    layer.attended("v", ClipSurgery().same.attention)
    assert layer._steps.points["v"][1] is layer.v
