"""One setting over one data set."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import CLASSES, SIZES, Noise, scores_of, setting_of, with_method
from near_ties import COSINE, Counts

from evaluation.measure import decision
from evaluation.measure.evaluate import evaluate, evaluate_all
from evaluation.measure.text_cache import embed_text
from gem.backbones import OpenClip
from gem.image import min_max, upsample
from gem.methods import Clip, Gem
from gem.resize import ShortSide
from gem.windows import SlidingWindow


@pytest.fixture(scope="module")
def setting(small):
    return setting_of(small)


@pytest.fixture(scope="module")
def counts(setting):
    return evaluate(replace(setting, batch_size=1, workers=0)).outcome.counts


def whole_maps(setting, sample, queries):
    """The cosines of one image by itself."""
    pixels = setting.segmenter.prepare(sample.image, resize=setting.protocol.resize)
    (encoded,) = setting.segmenter.encode(pixels[None])
    return encoded.scores(queries)


@pytest.fixture(scope="module")
def naive(setting):
    """What may be counted, image by image and pixel by pixel, from whole maps."""
    dataset, labels = setting.dataset, len(setting.dataset.card.labels)
    queries = embed_text(setting)
    classes = len(queries.words)
    found = {"matrix": Counts(labels, labels), "foreground": Counts(classes, classes)}
    found["heatmap"] = Counts(classes, 2)
    for sample in (dataset[sample_id] for sample_id in dataset.ids):
        maps = upsample(whole_maps(setting, sample, queries), sample.truth.shape).double().numpy()
        for y, x in np.ndindex(sample.truth.shape):
            if sample.truth[y, x] != 255:
                decide(maps[:, y, x], sample.truth[y, x], setting.protocol.background, found)
        for index, one in enumerate(maps):
            cover(one, index, sample.truth, found["heatmap"])
    return found


def decide(cosines, true, threshold, found):
    """Count one pixel: the best word, and whether its probability reaches the threshold."""
    words = rivals(cosines, margin=COSINE)
    best = words[0]
    certainty = 1 / np.exp(100 * (cosines - cosines[best])).sum()
    said = [word + 1 for word in words] if certainty >= threshold else [0]
    if abs(certainty - threshold) <= 100 * COSINE:
        assert len(words) == 1  # a word that is more probable than all others has no rival
        said = [0, best + 1]
    found["matrix"].add([(true, one) for one in said])
    if true > 0:
        found["foreground"].add([(true - 1, word) for word in words])


def rivals(scores, *, margin):
    """The best word first, and those that are as good but for rounding."""
    order = np.argsort(-scores)
    return [word for word in order if scores[order[0]] - scores[word] <= margin]


def cover(cosines, index, truth, found):
    """Count the pixels of a class, and those over the middle of its map, if it is shown."""
    if not (truth == index + 1).any():
        return
    middle = (cosines.min() + cosines.max()) / 2
    for y, x in np.argwhere(truth != 255):
        mine, over = truth[y, x] == index + 1, cosines[y, x] - middle
        seen = (index, 0 if mine else 1)  # in the intersection, or only in the union
        found.add([seen, None] if abs(over) <= COSINE else [seen if over > 0 else None])
        if mine:
            found.add([(index, 1)])


def check(counts, naive):
    """Every matrix is the one of the loop, but for pixels without a clear margin."""
    assert counts.keys() == naive.keys()
    for name, expected in naive.items():
        expected.check(counts[name])


def test_counts_are_those_of_a_loop_over_pixels(counts, naive):
    check(counts, naive)
    predicted = np.array(counts["matrix"]).sum(axis=0)
    assert (predicted > 100).sum() >= 3  # else hardly anything was compared


@pytest.mark.parametrize("batch_size", [1, 2, 3, 64])
def test_workers_change_no_count(batch_size, setting):
    alone, *others = (
        evaluate(replace(setting, batch_size=batch_size, workers=workers)) for workers in (0, 1, 3)
    )
    assert all(other.outcome == alone.outcome for other in others)
    assert {found.images for found in (alone, *others)} == {len(SIZES)}


@pytest.mark.parametrize("batch_size", [2, 3, 64])
def test_counts_do_not_depend_on_batches(batch_size, setting, naive):
    check(evaluate(replace(setting, batch_size=batch_size)).outcome.counts, naive)


def test_counts_do_not_depend_on_the_order(setting, naive):
    shuffled = replace(setting, dataset=Noise(order=(6, 2, 0, 5, 3, 1, 4)), batch_size=2)
    check(evaluate(shuffled).outcome.counts, naive)


def test_counts_do_not_depend_on_the_memory(setting, naive, monkeypatch):
    """Decided a few rows at a time."""
    monkeypatch.setattr(decision, "BAND", 700)
    check(evaluate(setting).outcome.counts, naive)


def test_every_pixel_that_is_not_void_is_counted_once(setting, counts):
    truths = [setting.dataset[sample_id].truth for sample_id in setting.dataset.ids]
    expected = sum(np.bincount(truth[truth != 255], minlength=5) for truth in truths)
    assert np.array(counts["matrix"]).sum(axis=1).tolist() == expected.tolist()
    assert np.array(counts["foreground"]).sum(axis=1).tolist() == expected[1:].tolist()


def test_scores_are_those_of_the_counts(setting):
    outcome = evaluate(setting).outcome
    matrix = np.array(outcome.counts["matrix"])
    iou = matrix.diagonal() / (matrix.sum(0) + matrix.sum(1) - matrix.diagonal())
    assert list(scores_of(outcome)) == ["miou", "miou_foreground", "heatmap_iou", "pixel_accuracy"]
    assert scores_of(outcome)["miou"] == pytest.approx(iou.mean())
    assert scores_of(outcome)["pixel_accuracy"] == pytest.approx(matrix.trace() / matrix.sum())
    assert outcome.per_class == pytest.approx(dict(zip(("background", *CLASSES), iou, strict=True)))


def test_without_a_background_there_is_one_matrix(setting):
    outcome = evaluate(replace(setting, dataset=Noise(background=False))).outcome
    assert list(scores_of(outcome)) == ["miou", "heatmap_iou", "pixel_accuracy"]
    assert list(outcome.per_class) == list(CLASSES)
    assert np.array(outcome.counts["matrix"]).shape == (4, 4)


def test_the_limit_takes_the_first(setting):
    found = evaluate(replace(setting, limit=2))
    first = evaluate(replace(setting, dataset=Noise(order=(0, 1))))
    assert found.images == 2
    assert found.outcome.counts == first.outcome.counts


def test_every_image_is_announced(setting):
    done = []
    evaluate(replace(setting, batch_size=2), done.append)
    assert sum(done) == len(SIZES)
    assert max(done) <= 2


def test_windows_and_other_methods_reach_the_counts(setting):
    rules = replace(setting.protocol, windows=SlidingWindow(size=24, stride=16))
    for other in (replace(setting, protocol=rules), with_method(setting, Clip())):
        found = evaluate(replace(other, limit=3)).outcome.counts["matrix"]
        assert found != evaluate(replace(setting, limit=3)).outcome.counts["matrix"]


def test_scaled_maps_reach_the_decision(small):
    """min-max of the upsampled map, as the release does it before its softmax.

    Two words that are highest in the same corner are a tie there: both are 1.
    """
    setting = setting_of(small, dataset=Noise(background=False))
    rules = replace(setting.protocol, min_max=True)
    queries = embed_text(setting)
    expected = Counts(4, 4)
    for sample in (setting.dataset[sample_id] for sample_id in setting.ids):
        cosines = whole_maps(setting, sample, queries)
        scaled = min_max(upsample(cosines, sample.truth.shape)).numpy()
        span = float((cosines.amax(dim=(1, 2)) - cosines.amin(dim=(1, 2))).min())
        for y, x in np.argwhere(sample.truth < 4):
            words = rivals(scaled[:, y, x], margin=COSINE / span)
            expected.add([(sample.truth[y, x], word) for word in words])
    found = evaluate(replace(setting, protocol=rules)).outcome.counts["matrix"]
    expected.check(found)
    assert np.sum(found) == sum((setting.dataset[i].truth < 4).sum() for i in setting.ids)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_sample_ends_the_evaluation(workers, setting):
    broken = replace(setting, dataset=Noise(broken="4"), workers=workers)
    with pytest.raises(ValueError, match=r"^4\.jpg cannot be read as an image: it is broken$"):
        evaluate(broken)


def test_settings_share_a_pass_as_if_each_were_alone(setting):
    settings = [
        setting,
        with_method(setting, Clip()),
        with_method(setting, Gem(iters=3)),
        replace(setting, protocol=replace(setting.protocol, background=0.3)),
    ]
    together = [result.outcome for result in evaluate_all(settings)]
    assert together == [evaluate(one).outcome for one in settings]
    assert len({str(outcome.counts["matrix"]) for outcome in together}) == len(settings)


def test_the_model_sees_each_image_once_in_a_shared_pass(setting, monkeypatch):
    seen = []
    trace = OpenClip.trace

    def spy(self, images, keep):
        seen.append(len(images))
        return trace(self, images, keep)

    monkeypatch.setattr(OpenClip, "trace", spy)
    evaluate_all([with_method(setting, Gem(iters=iters)) for iters in range(3)])
    assert sum(seen) == len(SIZES)


def test_settings_that_cannot_share_a_pass(setting):
    larger = replace(setting, protocol=replace(setting.protocol, resize=ShortSide(size=48)))
    with pytest.raises(ValueError, match=r"^settings of one pass need the same model, data set"):
        evaluate_all([setting, larger])
