"""Every method against the equations written out in `naive`, and the promises of the trace."""

import dataclasses
import itertools
import re

import naive
import pytest
import torch
from pydantic import ValidationError

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
    return method(backbone.trace(images, keep=method.reads(backbone.shape.num_blocks)))


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
    """The write is linear: averaging attended values is averaging streams, of one block."""
    trace = small.trace(images, keep=1)
    last = trace.layers[-1]
    streams = [last.resid + last.update((name,), Gem().attention) for name in "qkv"]
    mean = trace.project(sum(streams) / 3)
    assert difference(Gem(blocks=1)(trace), mean) <= ROUNDING


def test_methods_share_a_trace(small, images):
    methods = [Clip(), MaskClip(), ClipSurgery(blocks=2), Gem(blocks=5), Gem(normalize=False)]
    trace = small.trace(images, keep=5)
    for method in methods:
        assert torch.equal(method(trace), features(small, method, images))


def test_more_blocks_than_the_tower_has(small, images):
    with pytest.raises(ValueError, match=r"^blocks=6: the tower has 5 blocks$"):
        features(small, Gem(blocks=6), images)


def test_fewer_blocks_need_a_trace_of_fewer_layers(small, images):
    assert torch.equal(Gem(blocks=2)(small.trace(images, keep=2)),
                       Gem(blocks=2)(small.trace(images, keep=5)))  # fmt: skip


@pytest.mark.parametrize("method", [Clip, MaskClip, ClipSurgery, Gem])
def test_a_method_says_how_it_is_called(method):
    """Class variables: no field that a config could set, or that a record would hold."""
    names = {field.name for field in dataclasses.fields(method)}
    assert not names & {"title", "published"}
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", method.published)
    with pytest.raises(ValidationError, match="title"):
        method(title="another")


def test_methods_in_the_order_of_publication():
    found = sorted([Gem, ClipSurgery, MaskClip, Clip], key=lambda method: method.published)
    assert [method.title for method in found] == ["CLIP", "MaskCLIP", "CLIP Surgery", "GEM"]


def test_methods_that_share_work_come_in_turn():
    """K last: K+1 follows K. CLIP, which shares nothing, comes first and disturbs nobody."""
    methods = [Gem(iters=2), ClipSurgery(), Gem(), Clip(), Gem(iters=0), Gem(blocks=2)]
    found = sorted(methods, key=lambda method: method.cache_group)
    assert found == [Clip(), ClipSurgery(), Gem(iters=0), Gem(), Gem(blocks=2), Gem(iters=2)]
    assert Clip().cache_group == MaskClip().cache_group == ()
