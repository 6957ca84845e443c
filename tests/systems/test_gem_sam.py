"""GEM-SAM: masks of SAM labelled by GEM, beside GEM in one pass."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image
from small_sams import save_sam

from evaluation.launch import MISTAKES, compose_setting, sentence
from evaluation.measure.evaluate import evaluate, evaluate_all
from evaluation.records.rebuild import rebuild
from evaluation.run.sweep import run_sweep
from evaluation.setting.identity import describe, fingerprint
from evaluation.setting.sharing import bare, share_parts
from evaluation.terminal.record_table import show
from gem import Clip, Gem, Patches, ShortSide, SlidingWindow
from gem.image import upsample
from gem.segmenter import EncodedImage, Segmenter
from gem.systems import GemSam, Sam
from gem.systems.automatic import Automatic, Masks
from gem.systems.labelled import LabelledMasks, Segments, inside, owners
from gem.vocabulary import Queries

GIVEN = {"points_per_side": 8, "pred_iou": 0.2, "stability": 0.3, "nms": 0.9}


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GEM_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def sam(tmp_path_factory):
    return Sam(model=str(save_sam(tmp_path_factory.mktemp("models") / "sam")), device="cpu")


@pytest.fixture
def made(monkeypatch):
    """The sizes of images of which masks are made."""
    found, masks = [], Automatic.masks
    monkeypatch.setattr(
        Automatic, "masks", lambda self, image: found.append(image.shape) or masks(self, image)
    )
    return found


@pytest.fixture
def gem_sam(small, sam):
    return GemSam(backbone=small, method=Gem(blocks=2), sam=sam, **GIVEN)


def asked(backbone, *words):
    owner = tuple(range(len(words)))
    return Queries(backbone.embed(words), owners=owner, background=False, words=words)


def blocks(height, width, seed=0):
    drawn = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(drawn).resize((width, height))


def packed(masks, quality=None):
    bits = np.packbits(masks.flatten(1).numpy(), axis=1)
    quality = torch.linspace(1, 0, len(masks)) if quality is None else quality
    return Masks(bits, quality.numpy(), tuple(masks.shape[1:]))


def some_masks(count, size=(9, 11)):
    seeded = torch.Generator().manual_seed(count)
    found = []
    for _ in range(count):
        top, left = (int(torch.randint(side - 1, (1,), generator=seeded)) for side in size)
        mask = torch.zeros(size, dtype=torch.bool)
        height, width = (int(torch.randint(1, 7, (1,), generator=seeded)) for _ in size)
        mask[top : top + height, left : left + width] = True
        found.append(mask)
    return torch.stack(found)


@pytest.mark.parametrize("order", ["small", "large", "quality"])
@pytest.mark.parametrize("count", [1, 12])
def test_each_pixel_belongs_to_one_of_its_masks(order, count):
    masks = some_masks(count)
    found = owners(packed(masks), order)
    sign = {"small": 1, "large": -1, "quality": 0}[order]
    for row, column in product(*map(range, masks.shape[1:])):
        over = [place for place in range(count) if masks[place, row, column]]
        best = min(over, key=lambda place: (sign * int(masks[place].sum()), place), default=-1)
        assert found[row, column] == best


@pytest.mark.parametrize("rule", ["mean", "max"])
def test_a_mask_has_the_mean_or_the_largest_value(rule, monkeypatch):
    monkeypatch.setattr("gem.systems.labelled.PART", 5)
    masks = some_masks(12)
    maps = torch.randn(3, 9, 11, generator=torch.Generator().manual_seed(0))
    found = inside(maps, packed(masks), rule)
    for word, place in product(range(3), range(12)):
        values = maps[word][masks[place]]
        expected = values.mean() if rule == "mean" else values.max()
        torch.testing.assert_close(found[word, place], expected)


@pytest.mark.parametrize(("rule", "order"), [("mean", "small"), ("max", "large")])
def test_the_scores_are_those_of_the_rule(small, rule, order):
    """A naive reading: pixel by pixel."""
    segmenter, queries = Patches(backbone=small, method=Gem()), asked(small, "a cat", "a dog")
    image = segmenter.prepare(blocks(40, 48), resize=ShortSide(size=40))
    (features,) = segmenter.encode(image[None])
    masks = some_masks(9, (40, 48))
    labelled = LabelledMasks(features, Segments(image, lambda _: packed(masks)), rule, order)
    fine = upsample(features.scores(queries), (40, 48))
    found, own = labelled.scores(queries), owners(packed(masks), order)
    assert (own < 0).any()
    for row, column in product(range(0, 40, 3), range(0, 48, 3)):
        expected = fine[:, row, column]
        if (place := own[row, column]) >= 0:
            values = fine[:, masks[place]]
            expected = values.mean(dim=1) if rule == "mean" else values.amax(dim=1)
        torch.testing.assert_close(found[:, row, column], expected)


def test_without_masks_it_is_the_method(small, sam):
    none = GemSam(backbone=small, method=Gem(), sam=sam, **GIVEN | {"pred_iou": 1.0})
    queries = asked(small, "a cat")
    images = none.prepare(blocks(40, 48), resize=ShortSide(size=40))[None]
    ((encoded,),) = none.encode_together([none], images, windows=None)
    (plain,) = Patches(backbone=small, method=Gem()).encode(images)
    assert torch.equal(encoded.scores(queries), plain.scores(queries))


def test_every_promise_of_the_seam(gem_sam, small):
    image = gem_sam.prepare(blocks(40, 48), resize=ShortSide(size=40))
    ((encoded,),) = gem_sam.encode_together([gem_sam], image[None], windows=None)
    queries = asked(small, "a cat")
    for promise, one in ((Segmenter, gem_sam), (EncodedImage, encoded)):
        names = [name for name in vars(promise) if not name.startswith("_")]
        assert all(hasattr(one, name) for name in names)
    assert encoded.labels is None
    assert encoded.nothing(queries) is None
    assert not gem_sam.decides
    assert torch.equal(encoded.pixels, image)
    assert encoded.scores(queries).shape == (1, 40, 48)
    assert gem_sam.models[-1] is gem_sam.sam


def test_sam_sees_the_resized_image_to_the_bit(gem_sam):
    image = blocks(57, 91)
    prepared = gem_sam.prepare(image, resize=ShortSide(size=40))
    ((encoded,),) = gem_sam.encode_together([gem_sam], prepared[None], windows=None)
    height, width = prepared.shape[1:]
    exact = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
    assert np.array_equal(encoded.segments.image.permute(1, 2, 0).numpy(), exact)


@pytest.mark.parametrize("windows", [None, SlidingWindow(size=24, stride=16)])
def test_a_pass_of_gem_and_gem_sam_is_each_alone(small, gem_sam, made, seen, windows):
    images = torch.stack(
        [gem_sam.prepare(blocks(40, 48, seed), resize=ShortSide(size=40)) for seed in range(3)]
    )
    queries = asked(small, "a cat", "a dog")
    mixed = [
        Patches(backbone=small, method=Gem(blocks=2)),
        gem_sam,
        Patches(backbone=small, method=Clip()),
        replace(gem_sam, method=Clip()),
        replace(gem_sam, order="large"),
        replace(gem_sam, nms=0.3),
    ]
    assert len({one.pass_key for one in mixed}) == 1
    alone = []
    for one in mixed:
        (encoded,) = one.encode_together([one], images, windows=windows)
        alone.append([image.scores(queries) for image in encoded])
    passes, before = len(seen), len(made)
    assert before == 6  # two makers of masks; the rest was kept
    for first in (0, 1):
        together = mixed[first].encode_together(mixed, images, windows=windows)
        for encoded, expected in zip(together, alone, strict=True):
            for image, scores in zip(encoded, expected, strict=True):
                torch.testing.assert_close(image.scores(queries), scores, atol=1e-6, rtol=0)
    tiles = 1 if windows is None else 6
    assert len(seen) - passes == 2 * tiles
    assert len(made) == before
    assert not torch.equal(alone[0][0], alone[1][0])


def test_equal_masks_are_made_once_in_a_pass(small, gem_sam, made, tmp_path):
    """Also where nothing can be kept."""
    (file := tmp_path / "file").write_text("")
    lost = replace(gem_sam, root=str(file))
    images = gem_sam.prepare(blocks(40, 48), resize=ShortSide(size=40))[None]
    pair = [lost, replace(lost, method=Clip()), replace(lost, rule="max")]
    queries = asked(small, "a cat")
    for (encoded,) in lost.encode_together(pair, images, windows=None):
        encoded.scores(queries)
        encoded.scores(queries)
    assert len(made) == 1


def words(folder, *more):
    return [
        "segmenter=gem_sam", f"segmenter.sam.model={folder}", "segmenter.sam.device=cpu",
        "dataset=toy", "limit=3", *(f"segmenter.{name}={value}" for name, value in GIVEN.items()),
        *more,
    ]  # fmt: skip


def test_whole_runs_share_masks(sam, made):
    setting = compose_setting(words(sam.model))
    first = evaluate(setting)
    assert len(made) == 3
    again = evaluate(replace(setting, batch_size=1))
    assert again.outcome == first.outcome
    evaluate(compose_setting(words(sam.model, "gem.iters=2")))
    evaluate(compose_setting(words(sam.model, "method=maskclip", "segmenter.order=large")))
    assert len(made) == 3
    evaluate(compose_setting(words(sam.model, "segmenter.stability=0.35")))
    assert len(made) == 6


def test_gem_and_gem_sam_are_counted_in_one_pass(sam):
    settings = share_parts(
        [compose_setting(["dataset=toy", "limit=3"]), compose_setting(words(sam.model))]
    )
    assert settings[0].pass_key == settings[1].pass_key
    both = evaluate_all(settings)
    assert [one.settings for one in both] == [2, 2]
    assert [one.outcome for one in both] == [evaluate(one).outcome for one in settings]


def test_points(sam):
    setting = compose_setting(words(sam.model, "dataset=toy_points"))
    assert {one.name for one in evaluate(setting).outcome.scores} >= {"pmiou"}


def test_how_it_is_called(gem_sam, sam, small):
    assert gem_sam.title == "GEM-SAM (our reading)"
    assert replace(gem_sam, method=Clip()).title == "CLIP-SAM (our reading)"
    expected = "blocks=2 points_per_side=8 pred_iou=0.2 stability=0.3 nms=0.9 sam=sam"
    assert gem_sam.variant == expected
    usual = GemSam(backbone=small, method=Gem(), sam=Sam())
    assert (usual.variant, usual.published) == ("", "2023-12")
    found = gem_sam.provenance
    assert found.companion == sam.provenance
    assert not found.random
    untrained = replace(gem_sam, sam=replace(sam, weights=None))
    assert untrained.provenance.random


def test_the_setting_is_found_again_in_its_record(sam):
    setting = compose_setting(words(sam.model, "segmenter.root=/some/where"))
    assert rebuild(describe(setting)) == setting
    moved = replace(setting, segmenter=replace(setting.segmenter, root=None))
    assert fingerprint(moved) == fingerprint(setting)
    assert bare(setting) == setting


def test_models_are_shared_and_freed(gem_sam, sam):
    other = replace(gem_sam, method=Clip(), sam=replace(sam))
    assert other.sam is not gem_sam.sam
    held = {}
    one, two = gem_sam.sharing(held), other.sharing(held)
    assert one.sam is two.sam
    _ = one.sam.module
    one.unload(keep=two.models)
    assert "module" in vars(one.sam)
    one.unload()
    assert "module" not in vars(one.sam)


def test_what_cannot_be_built(sam):
    for word, said in {
        "segmenter.sam=null": "segmenter.sam=None: input should be",
        "segmenter.rule=median": "segmenter.rule=median: input should be 'mean' or 'max'",
        "segmenter.points_per_side=0": "segmenter.points_per_side=0: input should be greater",
        "segmenter.sam.precision=int8": "segmenter.sam.precision=int8: input should be",
    }.items():
        with pytest.raises(MISTAKES) as error:
            compose_setting(words(sam.model, word))
        assert sentence(error.value).startswith(said)


def test_it_is_said_that_weights_are_random(sam, tmp_path, capsys):
    setting = compose_setting(words(sam.model, "segmenter.sam.weights=null", "limit=1"))
    (found,) = run_sweep([setting], tmp_path)
    show([found.record], [found.path])
    assert "RANDOM WEIGHTS" in capsys.readouterr().out
    assert [*tmp_path.glob("toy-gem_sam_our_reading-tiny-*.json")] == [found.path]
