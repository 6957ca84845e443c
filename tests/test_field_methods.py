"""The field's methods against their equations in `naive_field`, and what options promise."""

import dataclasses

import naive_field
import pytest
import torch
from pydantic import ValidationError
from test_methods import ROUNDING, by_hand, difference, features

import gem
from gem.methods.naclip import gaussian_window
from gem.methods.pearl import orthogonal_factor

GRID = (5, 5)  # of the small model
WAY = {"middle": 3, "early": 1, "levels": (2, 4), "least": 0.2}
CASES = [
    *((naive_field.maskclip, gem.MaskClip(residual=residual, mlp=mlp))
      for residual, mlp in ((True, False), (False, True), (True, True))),
    (naive_field.sclip, gem.Sclip()),
    (naive_field.sclip, gem.Sclip(residual=False, mlp=False)),
    (naive_field.clearclip, gem.ClearClip()),
    (naive_field.clearclip, gem.ClearClip(projections=("k", "v"), last_blocks=3)),
    (naive_field.clearclip, gem.ClearClip(last_blocks=2, residual=True, mlp=True)),
    (naive_field.naclip, gem.Naclip()),
    (naive_field.naclip, gem.Naclip(sigma=1.5, residual=True, mlp=True)),
    (naive_field.naclip, gem.Naclip(nonly=True)),
    *((naive_field.resclip, gem.ResClip(layers=(2, 3, 4), base=base, share=0.6))
      for base in ("naclip", "sclip", "clearclip")),
    (naive_field.resclip, gem.ResClip(layers=(1,), residual=True, mlp=True)),
    (naive_field.itaclip, gem.ItaclipAttention(layers=(1, 3))),
    (naive_field.itaclip, gem.ItaclipAttention(layers=(4,), residual=False, mlp=True)),
    (naive_field.pearl, gem.Pearl()),
    (naive_field.pearl, gem.Pearl(alpha=0.3, residual=True, mlp=True)),
    (naive_field.calibrated, gem.ScClip(**WAY, neighbours=6, quantile=0.8)),
    (naive_field.calibrated, gem.ScClip(neighbours=4, quantile=0.5, middle=4, early=2,
                                        levels=(3, 3), scale=9.0, class_share=0.0)),
    (naive_field.calibrated, gem.Sfp(**WAY, weight=4.0)),
    (naive_field.calibrated, gem.Sfp(**WAY, weight=30.0, count=3)),
]  # fmt: skip
GRIDDED = {naive_field.naclip, naive_field.resclip, naive_field.calibrated}


def named(value):
    changed = gem.options.changed(value) if dataclasses.is_dataclass(value) else ""
    return f"{type(value).__name__} {changed}" if changed else None


@pytest.mark.parametrize(("equations", "method"), CASES, ids=named)
def test_a_method_is_its_equations(equations, method, small, images):
    more = [GRID] if equations in GRIDDED else []
    reference = by_hand(equations, small, images[:2], method, *more)
    assert difference(features(small, method, images[:2]), reference) <= ROUNDING


@pytest.mark.parametrize("grid", [(1, 25), (25, 1)])
@pytest.mark.parametrize(
    "method",
    [gem.Clip(), gem.MaskClip(), gem.ClipSurgery(blocks=4), gem.Gem(), gem.Sclip(), gem.ClearClip(),
     gem.Pearl()],
    ids=lambda one: one.title,
)  # fmt: skip
def test_what_reads_no_places_reads_a_row_of_patches_alike(method, grid, small, images):
    trace, row = (small.trace(images, keep=small.shape.num_blocks) for _ in range(2))
    row.grid = grid
    assert torch.equal(method(row), method(trace))


def test_every_case_is_told_apart(small, images):
    found = [features(small, method, images[:1]) for _, method in CASES]
    for i, one in enumerate(found):
        for other in found[:i]:
            assert difference(one, other) > 30 * ROUNDING


def test_cases_have_outliers(small, images):
    """The repair would not be tried if nothing, or everything, were wrong."""
    for _, method in CASES[-4:]:
        wrong = method.outliers(small.trace(images, keep=5))
        assert 0 < int(wrong.sum()) < wrong.numel()


@pytest.mark.parametrize("size", [(40, 40), (24, 56), (8, 32)])
@pytest.mark.parametrize("method", [gem.Naclip(), gem.ResClip(layers=(3, 4)), gem.Sfp(**WAY)])
def test_other_grids(size, method, small):
    torch.manual_seed(0)
    batch = torch.randn(2, 3, *size)
    alone = torch.cat([features(small, method, one[None]) for one in batch])
    assert difference(features(small, method, batch), alone) <= ROUNDING
    assert alone.shape[1] == size[0] * size[1] // 64


def test_the_window_of_a_grid_that_is_not_square(small, images):
    v = small.trace(images, keep=1).layers[-1].v[:, :, :15]
    found = gaussian_window(v, (2, 7), 1.5)
    assert torch.equal(gaussian_window(v[:, :, 1:], (2, 7), 1.5), found[1:, 1:])
    assert torch.allclose(found, naive_field.gaussian((2, 7), 1.5))


def test_without_a_share_rcs_is_its_base(small, images):
    """The factor goes with the length of the features, but for the bias of the projection."""
    plain = gem.ResClip(layers=(3,), share=0.0, factor=1.0)
    assert difference(features(small, plain, images), features(small, gem.Naclip(), images)) == 0


def test_relations_between_methods(small, images):
    """Q-q alone is ClearCLIP; SCLIP's sum is twice the mean of q-q and k-k, but for the bias."""
    last = small.trace(images, keep=1).layers[-1]
    bias = small.towers.model.visual.transformer.resblocks[-1].attn.out_proj.bias
    one = gem.ClearClip(projections=("q", "k"))
    heads = 2 * (last.update(("q", "k"), gem.methods.readout.plain()) - bias) + bias
    trace = small.trace(images, keep=1)
    assert difference(gem.Sclip(residual=False, mlp=False)(trace), trace.project(heads)) < 1e-5
    assert one.reads(5) == 1


def test_gem_without_residual_is_the_last_readout(small, images):
    """ClearCLIP's row; however many blocks there are."""
    trace = small.trace(images, keep=4)
    last = trace.layers[-1]
    readout = last.update(("q", "k", "v"), gem.Gem().attention)
    for blocks in (1, 4):
        found = gem.Gem(residual=False, blocks=blocks)(trace)
        assert torch.equal(found, trace.project(readout))


def test_the_orthogonal_factor():
    """Five steps reach it for a matrix near one, and are on the way for others."""
    torch.manual_seed(0)
    turn = torch.linalg.qr(torch.randn(2, 6, 6)).Q
    assert torch.allclose(orthogonal_factor(3.0 * turn), turn, atol=1e-4)
    u, s, v = torch.linalg.svd(torch.randn(2, 6, 6))
    spread = u @ torch.diag_embed(s) @ v
    near = (orthogonal_factor(spread) - u @ v).norm()
    assert near < (spread / spread.norm() - u @ v).norm()


def test_sc_clip_and_sfp_share_what_they_have_in_common(small, images, monkeypatch):
    """The sum of levels and the cosines of the early block, from one trace."""
    from gem import similarity

    counted = []
    monkeypatch.setattr(
        similarity,
        "row_shares",
        lambda *a, real=similarity.row_shares: counted.append(1) or real(*a),
    )
    trace = small.trace(images, keep=5)
    alone = gem.Sfp(**WAY)(small.trace(images, keep=5))
    counted.clear()
    gem.ScClip(**WAY, neighbours=6)(trace)
    assert torch.equal(gem.Sfp(**WAY)(trace), alone)
    assert len(counted) == 3  # each along its repaired patches, and once along the early block


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (gem.ResClip(), "method.layers=9: the tower has 8 blocks"),
        (gem.ResClip(layers=(9,)), "method.layers=9: the tower has 8 blocks"),
        (gem.ItaclipAttention(), "method.layers=10: the tower has 8 blocks"),
        (gem.ScClip(), "method.middle=9: the tower has 8 blocks"),
        (gem.Sfp(middle=3), "method.levels=10: the tower has 8 blocks"),
        (gem.ClearClip(last_blocks=9), "blocks=9: the tower has 8 blocks"),
    ],
)
def test_a_tower_of_eight_blocks(method, said):
    with pytest.raises(ValueError, match=said):
        method.reads(8)


@pytest.mark.parametrize(
    ("method", "depth", "blocks"),
    [
        (gem.Clip(), 12, 1), (gem.Sclip(), 12, 1), (gem.Gem(residual=False, blocks=6), 12, 1),
        (gem.Gem(), 12, 4), (gem.ResClip(), 12, 7),
        (gem.ItaclipAttention(), 12, 6), (gem.ScClip(), 12, 8), (gem.Sfp(), 24, 20),
        (gem.Sfp(middle=5, early=5, levels=(5, 5)), 6, 2),
        (gem.Sfp(middle=2, early=5, levels=(4, 5)), 6, 4),
        (gem.Sfp(middle=5, early=5, levels=(1, 5)), 6, 5),
    ],
)  # fmt: skip
def test_blocks_that_are_kept(method, depth, blocks):
    assert method.reads(depth) == blocks


def test_an_image_of_few_patches(small):
    with pytest.raises(ValueError, match=r"method.neighbours=30: an image of 25 patches"):
        features(small, gem.ScClip(**WAY), torch.zeros(1, 3, 40, 40))
    with pytest.raises(ValueError, match=r"method.neighbours=25: an image of 25 patches"):
        features(small, gem.ScClip(**WAY, neighbours=25), torch.zeros(1, 3, 40, 40))


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (gem.ScClip, {"levels": (5, 4)}), (gem.ResClip, {"layers": ()}),
        (gem.ResClip, {"share": 1.5}), (gem.Naclip, {"sigma": 0.0}), (gem.Pearl, {"alpha": -1.0}),
        (gem.ClearClip, {"projections": ("q", "q")}), (gem.Sclip, {"iters": 1}),
        (gem.Sfp, {"neighbours": 3}),
    ],
)  # fmt: skip
def test_options_that_make_no_sense(kind, wrong):
    with pytest.raises(ValidationError):
        kind(**wrong)


@pytest.mark.parametrize("weight", [0.5, 1.0, 1.5, 4.0])
def test_the_patches_that_sfp_repairs(weight, small, images):
    """By the block before the last, means over its heads; by hand for each image."""
    method = gem.Sfp(**WAY, weight=weight, count=4)
    visual = small.towers.model.visual
    found = method.outliers(small.trace(images, keep=5))
    for one, image in zip(found, images, strict=True):
        expected = naive_field.sfp_outliers(visual, image, method)
        assert set(one.nonzero().flatten().tolist()) == expected


def test_what_is_held_is_told_apart_by_options(small, images):
    """Other levels, another early block, another least: from one trace as from their own."""
    ways = [WAY, WAY | {"levels": (3, 4)}, WAY | {"early": 2}, WAY | {"least": 0.5}]
    trace = small.trace(images, keep=5)
    for way in ways:
        method = gem.ScClip(**way, neighbours=6)
        assert torch.equal(method(trace), method(small.trace(images, keep=5)))


def test_shares_have_the_sum_1():
    from gem.similarity import row_shares

    alike = torch.tensor([[[1.0, 0.5, 0.2], [0.5, 1.0, 0.0], [0.2, 0.0, 1.0]]])
    expected = torch.tensor([[[2 / 3, 1 / 3, 0], [1 / 3, 2 / 3, 0], [0, 0, 1]]])
    assert torch.allclose(row_shares(alike, 0.4), expected, atol=1e-5)
