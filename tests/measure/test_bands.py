"""Maps are decided in bands that the cache of a CPU holds: the decision is that of whole maps."""

import gc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from near_ties import COSINE, same_where_clear

from evaluation.measure import decision
from evaluation.measure.decision import best_classes
from evaluation.measure.masks import MaskAccumulator
from evaluation.measure.refinement import affinity, propagate
from evaluation.measure.thresholds import ThresholdAccumulator
from evaluation.metrics import heatmap
from evaluation.metrics.accumulator import ImageCache
from evaluation.setting import EvalProtocol, Pamr, protocol
from gem.image import min_max, upsample
from gem.resize import ShortSide
from gem.vocabulary import Queries

SIZE = (61, 83)
OWNER = [0, 1, 1, 2, 3, 3, 3]
PAMR = Pamr(steps=2, dilations=(1, 3))
RULES = {
    "plain": {},
    "scaled to [0, 1]": {"min_max": True, "logit_scale": 5.0},
    "mean of words": {"reduce": "mean"},
    "small areas": {"area_threshold": 0.2},
    "small areas by the mean": {"area_threshold": 0.2, "reduce": "mean"},
    "refined": {"pamr": PAMR},
    "all at once": {"pamr": PAMR, "min_max": True, "reduce": "mean", "area_threshold": 0.2},
}


def rules(**options):
    defaults = {"name": "test", "resize": ShortSide(), "logit_scale": 20.0, "background": 0.5}
    return EvalProtocol(**defaults | options)


def asked(owner=OWNER, *, background=True):
    words = tuple(map(str, range(len(owner))))
    return Queries(torch.eye(len(owner)), tuple(owner), background=background, words=words)


def image_of(maps):
    pixels = torch.randn(3, 32, 40, generator=torch.Generator().manual_seed(9))
    return SimpleNamespace(
        scores=lambda _: maps, labels=None, nothing=lambda _: None, pixels=pixels
    )


def noise(words=7, seed=0):
    maps = torch.randn(words, 8, 10, generator=torch.Generator().manual_seed(seed)) * 0.1
    maps[-3:] -= 0.12  # its class is small
    return maps


def card(*, background):
    classes = ("cat", "dog", "cow")
    labels = ("background", *classes) if background else classes
    return SimpleNamespace(name="drawn", background=background, classes=classes, labels=labels)


def whole(maps, pixels, rule):
    """Probabilities by class [c, y, x], whole and in float64."""
    fine = upsample(maps, SIZE)
    if rule.min_max:
        low, high = fine.amin(dim=(1, 2)), fine.amax(dim=(1, 2))
        fine = upsample((maps - low[:, None, None]) / (high - low)[:, None, None], SIZE)
    if rule.pamr:
        fine = propagate(fine, affinity(upsample(pixels, SIZE), PAMR.dilations), PAMR)
    powers = np.exp(rule.logit_scale * fine.double().numpy())
    shares, merge = powers / powers.sum(axis=0), {"max": np.max, "mean": np.mean}[rule.reduce]
    found = np.stack([merge(shares[np.array(OWNER) == c], axis=0) for c in range(max(OWNER) + 1)])
    if rule.area_threshold is not None:
        areas = np.bincount(found.argmax(axis=0).flatten(), minlength=len(found))
        small = areas <= rule.area_threshold * areas[1:].sum()
        assert small[1:].any()
        assert not small[1:].all()
        found[1:][small[1:]] = 0
    return found


@pytest.mark.parametrize("room", [1, 2000, None])
@pytest.mark.parametrize("rule", RULES)
def test_the_decision_is_that_of_whole_maps(rule, room, monkeypatch):
    """Of a row at a time, of a few, and of as many as are usual."""
    if room:
        monkeypatch.setattr(decision, "BAND", room)
        monkeypatch.setattr(decision, "LARGE", room)
    image, rule = image_of(noise()), rules(**RULES[rule])
    found = list(best_classes(image, asked(), rule, SIZE, ImageCache()))
    assert len(found) == (61 if room == 1 else 21 if room else 1)
    expected = whole(image.scores(None), image.pixels, rule)
    first, second = np.sort(expected, axis=0)[:-3:-1]
    same_where_clear(
        torch.cat([band.best for band in found]), expected.argmax(axis=0),
        margins=first - second, clear=COSINE,
    )  # fmt: skip
    certainty = torch.cat([band.certainty() for band in found])
    np.testing.assert_allclose(certainty.numpy(), first, atol=COSINE)


@pytest.mark.parametrize("rule", ["plain", "scaled to [0, 1]", "small areas", "refined"])
def test_the_best_word_is_the_same_in_every_band(rule, monkeypatch):
    """Bit for bit, where no probabilities are compared."""
    given, found = (image_of(noise()), asked(), rules(**RULES[rule]), SIZE), []
    for room in (1, 2000, 5000, 2**20):
        monkeypatch.setattr(decision, "BAND", room)
        monkeypatch.setattr(decision, "LARGE", room)
        found.append(torch.cat([band.best for band in best_classes(*given, ImageCache())]))
    assert all(torch.equal(one, found[0]) for one in found)


@pytest.mark.parametrize("nothing", ["a map", "a constant"])
@pytest.mark.parametrize("room", [1, 2000, None])
def test_a_rule_of_a_segmenter_is_that_of_whole_maps(room, nothing, monkeypatch):
    """Every band in its place: the best word, whether nothing exceeds it, and its score."""
    if room:
        monkeypatch.setattr(decision, "BAND", room)
        monkeypatch.setattr(decision, "LARGE", room)
    image, queries = image_of(noise()), asked()
    none = noise(1, seed=5)[0] + 0.1 if nothing == "a map" else torch.full((1, 1), 0.08)
    image.nothing = lambda _: none
    found = list(best_classes(image, queries, rules(), SIZE, ImageCache()))
    assert [row for band in found for row in range(SIZE[0])[band.rows]] == list(range(SIZE[0]))
    peak, word = upsample(image.scores(None), SIZE).max(dim=0)
    empty = upsample(none[None], SIZE)[0] >= peak
    assert 0.1 < empty.float().mean() < 0.9
    assert torch.equal(torch.cat([band.best for band in found]), queries.class_index[word])
    assert torch.equal(torch.cat([band.none for band in found]), empty)
    assert torch.equal(torch.cat([band.certainty() for band in found]), peak)


@pytest.mark.parametrize("room", [1, 2**20])
@pytest.mark.parametrize("reduce", ["max", "mean"])
def test_of_equal_words_the_first_is_chosen(reduce, room, monkeypatch):
    """Everywhere, and whatever the band: the words of three classes have one map."""
    monkeypatch.setattr(decision, "BAND", room)
    queries, rule = asked([0, 1, 2, 3], background=False), rules(reduce=reduce)
    maps = noise(4)[[3, 1, 1, 1]]
    found = list(best_classes(image_of(maps), queries, rule, SIZE, ImageCache()))
    best = torch.cat([band.best for band in found])
    assert sorted(set(best.flatten().tolist())) == [0, 1]


def counted(kind, *, rule, background, words, truth):
    asked_for = asked([0, 1, 2, 3] if words else [0, 1, 2], background=words)
    accumulator = kind(rule, card(background=background), asked_for)
    maps = noise(len(asked_for.words))
    for _ in accumulator.count(image_of(maps), truth, ImageCache()):
        pass
    return accumulator


TRUTH = np.random.default_rng(0).choice([0, 1, 2, 255], SIZE).astype(np.uint8)


@pytest.mark.parametrize(
    ("background", "threshold", "words", "needed"),
    [(False, 0.5, False, False), (True, 0.5, False, True), (True, None, True, False)],
)
def test_probabilities_are_computed_where_a_threshold_asks(
    background, threshold, words, needed, monkeypatch
):
    """Not for data without a background, nor where words alone decide about it."""
    done, probability = [], protocol._probability
    monkeypatch.setattr(
        protocol, "_probability", lambda *given: done.append(1) or probability(*given)
    )
    options = {"rule": rules(background=threshold), "background": background, "words": words}
    counted(MaskAccumulator, truth=TRUTH, **options)
    assert bool(done) == needed
    if background:
        done.clear()
        counted(ThresholdAccumulator, truth=TRUTH, **options)
        assert done


@pytest.mark.parametrize("kind", [MaskAccumulator, ThresholdAccumulator])
@pytest.mark.parametrize("rule", ["plain", "scaled to [0, 1]", "small areas"])
def test_no_more_than_a_band_stands_in_memory(rule, kind, monkeypatch):
    """Settings of one pass take turns: those that wait hold no maps, and no band is larger."""
    room, alive = 2000, []

    def kept(maps, size, *rows):
        fine = upsample(maps, size, *rows)
        assert fine.numel() <= max(room, SIZE[0] * SIZE[1])  # of the heat maps, one at least
        alive.append(weakref.ref(fine))
        return fine

    answer = EvalProtocol.answer

    def answered(self, *given):
        best, certainty = answer(self, *given)
        alive.append(weakref.ref(certainty))
        return best, certainty

    monkeypatch.setattr(decision, "BAND", room)
    monkeypatch.setattr(decision, "LARGE", room)
    monkeypatch.setattr(heatmap, "CACHED", room)
    for module in (decision, heatmap):
        monkeypatch.setattr(module, "upsample", kept)
    monkeypatch.setattr(EvalProtocol, "answer", answered)
    cache = ImageCache()
    settings = [
        kind(rules(**RULES[rule]), card(background=True), asked([0, 1, 2, 3])).count(
            image_of(noise(4, seed)), TRUTH, cache
        )
        for seed in range(3)
    ]
    gc.collect()
    gc.freeze()  # what the other tests of this process hold is not looked through each time
    try:
        for _ in zip(*settings, strict=True):
            gc.collect()
            assert sum(one() is not None for one in alive) <= 1  # the last band, in the cache
    finally:
        gc.unfreeze()
    assert len(alive) > 3 * 10


@pytest.mark.parametrize("room", [1, 3 * 61 * 83, 2**20])
def test_heat_maps_are_those_of_whole_maps(room, monkeypatch):
    """One after the other, three at a time, and all at once."""
    monkeypatch.setattr(heatmap, "CACHED", room)
    maps, random = noise(30), np.random.default_rng(1)
    truth = torch.from_numpy(random.choice([*range(0, 31, 2), 255], SIZE))
    found = heatmap.overlaps(maps, truth, first=1, void=255).tolist()
    for index, heat in enumerate(min_max(upsample(maps, SIZE))):
        mask, seen = truth == index + 1, (heat > 0.5) & (truth != 255)
        shown = [int((seen & mask).sum()), int((seen | mask).sum())]
        assert found[index] == (shown if mask.any() else [0, 0])
