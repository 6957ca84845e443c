"""The paired bootstrap against a naive loop, and a case that is computed by hand."""

import numpy as np
import pytest
import torch

from evaluation.comparison.bootstrap import bootstrap, significance
from evaluation.comparison.parts import image_values, parts_of, scores_of
from evaluation.metrics.matrix import scores
from evaluation.metrics.points import readings
from evaluation.records.image_counts import ImageCounts, margins

IMAGES, LABELS = 12, 5


def matrices(seed):
    """Confusion matrices of images that show two or three of five labels."""
    rng = np.random.default_rng(seed)
    found = rng.integers(0, 400, (IMAGES, LABELS, LABELS))
    shown = rng.random((IMAGES, LABELS)) < 0.5
    shown[:, 0] = True
    return found * shown[:, :, None] * (rng.random((IMAGES, 1, LABELS)) < 0.6)


def counts_of(found):
    ids = tuple(map(str, range(len(found))))
    return ImageCounts(ids, {"matrix": np.stack([margins(one) for one in found])})


def point_rows(seed):
    rng = np.random.default_rng(seed)
    rows = [[n, c, *rng.integers(0, 4, 4)] for n in range(IMAGES) for c in range(3)]
    rows = np.array([row for row in rows if sum(row[2:])])
    rows[rows[:, 0] == 4, 2:4] = 0  # an image without a yes-point
    return rows


def points_of(rows):
    return ImageCounts(tuple(map(str, range(IMAGES))), {"rows": rows})


def naive_miou(some):
    return scores(torch.from_numpy(some.sum(axis=0))).miou


def test_all_images_once_are_the_scores_of_the_record():
    found = matrices(0)
    expected = scores(torch.from_numpy(found.sum(axis=0)))
    counts, once = counts_of(found), np.ones((1, IMAGES))
    assert scores_of(once, parts_of(counts, "miou")) == pytest.approx(expected.miou, abs=1e-12)
    accuracy = scores_of(once, parts_of(counts, "pixel_accuracy"))
    assert accuracy == pytest.approx(expected.pixel_accuracy, abs=1e-12)
    rows = point_rows(0)
    expected = readings(torch.from_numpy(rows))["pmiou"]
    assert scores_of(once, parts_of(points_of(rows), "pmiou")) == pytest.approx(expected, abs=1e-12)
    heat = np.array([[[1, 4], [0, 0]], [[2, 2], [3, 9]]])
    found = parts_of(ImageCounts(("a", "b"), {"heatmap": heat}), "heatmap_iou")
    assert scores_of(np.ones((1, 2)), found) == pytest.approx((3 / 6 + 3 / 9) / 2, abs=1e-12)


def test_a_naive_loop_finds_the_same_differences():
    """Images are drawn as the loop draws them; every score is computed from a matrix of its own."""
    first, second = matrices(1), matrices(2)
    draws, rng = 300, np.random.default_rng(7)
    expected = []
    for _ in range(draws):
        chosen = rng.integers(IMAGES, size=IMAGES)
        expected.append(naive_miou(second[chosen]) - naive_miou(first[chosen]))
    pairs = {"mIoU": tuple(parts_of(counts_of(one), "miou") for one in (first, second))}
    found = bootstrap(pairs, draws=draws, seed=7)["mIoU"]
    low, high = np.percentile(expected, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)
    below = sum(one <= 0 for one in expected)
    above = sum(one >= 0 for one in expected)
    assert found.p == pytest.approx(min(1, 2 * (min(below, above) + 1) / (draws + 1)))


def test_draws_in_parts_are_the_same_draws(monkeypatch):
    pairs = {"a": tuple(parts_of(counts_of(matrices(seed)), "miou") for seed in (1, 2))}
    whole = bootstrap(pairs, draws=100)
    monkeypatch.setattr("evaluation.comparison.bootstrap.ROOM", 7 * IMAGES)
    assert bootstrap(pairs, draws=100) == whole
    assert bootstrap(pairs, draws=100, seed=1) != whole


@pytest.mark.parametrize("score", ["miou", "pixel_accuracy"])
def test_a_record_and_itself_differ_by_nothing(score):
    parts = parts_of(counts_of(matrices(3)), score)
    found = bootstrap({score: (parts, parts.copy())}, draws=500)[score]
    assert (found.low, found.high, found.p) == (0, 0, 1)


def test_points_of_a_record_and_itself():
    rows = point_rows(5)
    pair = tuple(parts_of(points_of(one), "pmiou") for one in (rows, rows.copy()))
    found = bootstrap({"p": pair}, draws=500)["p"]
    assert (found.low, found.high, found.p) == (0, 0, 1)


def test_two_images_by_hand():
    """One label, two images of 10 pixels: 5 and 10 are right, against 10 and 10 (IoU 1).

    A draw has both images (half of the draws: 1 - 15/20), the first twice (a quarter: 1 - 10/20)
    or the second twice (a quarter: 0).
    """
    first = np.array([[[5, 10, 5]], [[10, 10, 10]]])
    first[0] = [5, 5, 10]
    second = np.array([[[10, 10, 10]], [[10, 10, 10]]])
    pair = tuple(
        parts_of(ImageCounts(("a", "b"), {"matrix": one}), "miou") for one in (first, second)
    )
    weights = np.array([[1.0, 1], [2, 0], [0, 2]])
    differences = scores_of(weights, pair[1]) - scores_of(weights, pair[0])
    assert differences.tolist() == [0.25, 0.5, 0]
    found = bootstrap({"mIoU": pair}, draws=10_000)["mIoU"]
    assert (found.low, found.high) == (0, 0.5)
    assert found.p == pytest.approx(2 * 0.25, abs=0.03)  # 0.26 % is the error of 10,000 draws


def test_the_least_p_of_a_number_of_draws():
    assert significance(np.full(999, 0.1)).p == 2 / 1000
    assert significance(np.array([-1.0, 1.0])).p == 1


def test_a_class_that_is_not_drawn_is_left_out_of_the_mean():
    found = np.zeros((2, 2, 3))
    found[0, 0], found[1, 1] = (8, 8, 10), (1, 4, 4)
    parts = parts_of(ImageCounts(("a", "b"), {"matrix": found}), "miou")
    assert scores_of(np.array([[2.0, 0], [0, 1]]), parts).tolist() == [0.8, 1 / 7]
    assert np.isnan(scores_of(np.zeros((1, 2)), parts)).all()


def test_the_value_of_an_image_is_over_the_labels_of_its_truth():
    one = np.zeros((2, 3, 3))
    one[0, 0], one[0, 1], one[0, 2] = (
        (6, 8, 10),
        (0, 0, 2),
        (0, 4, 0),
    )  # the third is only predicted
    values = image_values(ImageCounts(("a", "b"), {"matrix": one}))
    assert values[0] == pytest.approx((6 / 12 + 0) / 2)
    assert np.isnan(values[1])
    rows = point_rows(0)
    values = image_values(points_of(rows))
    assert np.isnan(values[4])
    assert np.nanmean(values) == pytest.approx(readings(torch.from_numpy(rows))["pmiou"])
