"""Every method against the equations written out in `naive`, and the promises of the trace."""

import itertools

import naive
import pytest
import torch

from gem.methods import Clip, ClipSurgery, Gem, MaskClip

ROUNDING = 3e-5  # of float32, whatever the CPU; two settings differ by 30 times as much
SETTINGS = [
    *(Gem(iters=iters, temperature=tau, blocks=3)
      for iters, tau in itertools.product(range(4), ("adaptive", 0.1))),
    *(Gem(iters=iters, temperature="standard", temperature_scale=24.0, blocks=3)
      for iters in range(4)),
    Gem(temperature="standard", normalize=False, blocks=3),
    *(Gem(iters=iters, normalize=False, blocks=3) for iters in range(3)),
    *(Gem(temperature_scale=scale, blocks=3) for scale in (0.25, 4.0)),
    Gem(temperature=0.5, temperature_scale=2.0, normalize=False, blocks=3),
    *(Gem(projections=tuple(names), blocks=3) for names in ("q", "k", "v", "qk", "kv", "vq")),
    *(Gem(blocks=blocks) for blocks in (1, 2, 4, 5)),
    *(Gem(blocks=blocks, mlp=True) for blocks in (1, 4)),
]  # fmt: skip


def difference(ours, reference):
    """Largest difference over the largest value."""
    assert ours.shape == reference.shape
    return float((ours - reference).abs().max() / reference.abs().max())


def features(backbone, method, images):
    return method(backbone.trace(images, keep=method.reads))


def by_hand(function, backbone, images, *more):
    visual = backbone.towers.model.visual
    return torch.stack([function(visual, image, *more) for image in images])


def options_of(method):
    return str(method).removeprefix("Gem(").removesuffix(")").replace("'", "").replace(" ", "")


@pytest.mark.parametrize("method", SETTINGS, ids=options_of)
def test_gem_is_its_equations(method, small, images):
    reference = by_hand(naive.gem, small, images[:2], method)
    assert difference(features(small, method, images[:2]), reference) <= ROUNDING


def test_every_setting_is_told_apart(small, images):
    """The comparison above could not fail if two settings gave nearly the same features."""
    found = [features(small, method, images[:1]) for method in SETTINGS]
    pairs = itertools.combinations(range(len(found)), 2)
    closest, i, j = min((difference(found[i], found[j]), i, j) for i, j in pairs)
    assert closest > 30 * ROUNDING, (SETTINGS[i], SETTINGS[j])


def test_clip_is_its_equations(small, images):
    reference = by_hand(naive.clip, small, images)
    assert difference(features(small, Clip(), images), reference) <= ROUNDING


def test_clip_is_open_clips_own_forward(small, images):
    visual = small.towers.model.visual
    taken = visual.forward_intermediates(images, indices=1, output_fmt="NLC")
    reference = visual.ln_post(taken["image_intermediates"][-1]) @ visual.proj
    assert difference(features(small, Clip(), images), reference) <= ROUNDING


def test_maskclip_is_its_equations(small, images):
    reference = by_hand(naive.maskclip, small, images)
    assert difference(features(small, MaskClip(), images), reference) <= ROUNDING


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_clip_surgery_is_its_equations(blocks, small, images):
    reference = by_hand(naive.clip_surgery, small, images, blocks)
    assert difference(features(small, ClipSurgery(blocks=blocks), images), reference) <= ROUNDING


def test_clip_surgery_is_a_point_of_gems_family(small, images):
    rule = {"temperature": "standard", "normalize": False, "projections": ("v",)}
    same = features(small, Gem(iters=0, blocks=3, **rule), images)
    assert torch.equal(features(small, ClipSurgery(blocks=3), images), same)


def test_projections_are_averaged_in_one_block(small, images):
    """The write is linear: averaging readouts is averaging streams, of one block."""
    trace = small.trace(images, keep=1)
    last = trace.layers[-1]
    streams = [last.resid + Gem(projections=(name,))._update(last) for name in "qkv"]
    mean = trace.project(sum(streams) / 3)
    assert difference(Gem(blocks=1)(trace), mean) <= ROUNDING


@pytest.mark.parametrize("order", [(3, 1, 2), (0, 1, 2, 3), (2, 2, 0)])
def test_iterations_are_shared_in_any_order(order, small, images):
    trace = small.trace(images, keep=4)
    for iters in order:
        fresh = Gem(iters=iters)(small.trace(images, keep=4))
        assert torch.equal(Gem(iters=iters)(trace), fresh)


def test_methods_share_a_trace(small, images):
    methods = [Clip(), MaskClip(), ClipSurgery(blocks=2), Gem(blocks=5), Gem(normalize=False)]
    trace = small.trace(images, keep=5)
    for method in methods:
        assert torch.equal(method(trace), features(small, method, images))


def test_readouts_are_computed_once(small, images, monkeypatch):
    layer = small.trace(images, keep=1).layers[0]
    settings = {"normalize": True, "temperature": "adaptive", "temperature_scale": 1.0}
    attended = []
    attend = layer._attend
    monkeypatch.setattr(layer, "_attend", lambda *a: attended.append(1) or attend(*a))
    for iters in (1, 2, 2, 1):
        layer.self_self("q", iters=iters, **settings)
    assert len(attended) == 4  # two steps, two readings


def test_more_blocks_than_the_tower_has(small, images):
    with pytest.raises(ValueError, match=r"^blocks=6 .* but the tower has 5$"):
        features(small, Gem(blocks=6), images)


def test_fewer_blocks_need_a_trace_of_fewer_layers(small, images):
    assert torch.equal(Gem(blocks=2)(small.trace(images, keep=2)),
                       Gem(blocks=2)(small.trace(images, keep=5)))  # fmt: skip
