"""mIoU from one confusion matrix: by hand, by NumPy, by torchmetrics."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torchmetrics.classification import MulticlassJaccardIndex
from torchmetrics.functional.classification import multiclass_confusion_matrix

from evaluation.metrics import ConfusionMatrix, confusion, scores
from evaluation.metrics.merged import MergedConfusionMatrix

VOID = 255
shapes = st.tuples(st.integers(1, 7), st.integers(1, 7))
labels = 5


@st.composite
def maps(draw):
    shape = draw(shapes)
    prediction = draw(arrays(np.int64, shape, elements=st.integers(0, labels - 1)))
    truth = draw(arrays(np.int64, shape, elements=st.sampled_from([0, 1, 2, 3, 4, VOID])))
    return prediction, truth


def by_numpy(prediction, truth):
    """IoU of every class from sets of pixels; no confusion matrix."""
    valid = truth != VOID
    found = []
    for label in range(labels):
        said, true = (prediction == label) & valid, (truth == label) & valid
        union = (said | true).sum()
        found.append((said & true).sum() / union if union else None)
    return found


def count(prediction, truth):
    tensors = torch.from_numpy(np.asarray(prediction)), torch.from_numpy(np.asarray(truth))
    return confusion(*tensors, labels=labels, void=VOID)


def test_worked_by_hand():
    """Truth in rows. IoU: 2/3, 1/3, absent, 0 (predicted only), 1."""
    truth = [[0, 0, 0, 1, 1], [4, 4, 255, 255, 1]]
    prediction = [[0, 0, 3, 1, 3], [4, 4, 0, 1, 3]]
    matrix = count(prediction, truth)
    expected = [[2, 0, 0, 1, 0], [0, 1, 0, 2, 0], [0] * 5, [0] * 5, [0, 0, 0, 0, 2]]
    assert matrix.tolist() == expected
    found = scores(matrix)
    assert found.iou == pytest.approx((2 / 3, 1 / 3, None, 0.0, 1.0))
    assert found.miou == pytest.approx((2 / 3 + 1 / 3 + 0 + 1) / 4)
    assert found.pixel_accuracy == pytest.approx(5 / 8)


@given(maps(), st.data())
def test_pixels_without_a_prediction(pair, data):
    """They are found by no class: IoU is that of sets of pixels, accuracy is over all of them."""
    prediction, truth = pair
    gaps = data.draw(arrays(np.bool_, truth.shape))
    prediction = np.where(gaps, VOID, prediction)
    tensors = torch.from_numpy(prediction), torch.from_numpy(truth)
    matrix = confusion(*tensors, labels=labels, void=VOID, unpredicted=True)
    assert matrix.shape == (labels, labels + 1)
    assert matrix[:, -1].sum() == (gaps & (truth != VOID)).sum()
    found, valid = scores(matrix), truth != VOID
    assert found.iou == pytest.approx(by_numpy(prediction, truth))
    if valid.any():
        right = ((prediction == truth) & valid).sum() / valid.sum()
        assert found.pixel_accuracy == pytest.approx(right)


@given(maps())
def test_against_numpy(pair):
    found, expected = scores(count(*pair)), by_numpy(*pair)
    assert found.iou == pytest.approx(tuple(expected))
    present = [value for value in expected if value is not None]
    assert found.miou == pytest.approx(np.mean(present)) if present else math.isnan(found.miou)


@given(maps())
def test_against_torchmetrics(pair):
    """torchmetrics counts a class that is absent from truth and prediction as absent, too."""
    prediction, truth = map(torch.from_numpy, pair)
    if bool((truth == VOID).all()):
        return
    reference = MulticlassJaccardIndex(num_classes=labels, ignore_index=VOID, average=None)
    expected = reference(prediction, truth)
    iou = [0.0 if value is None else value for value in scores(count(*pair)).iou]
    torch.testing.assert_close(torch.tensor(iou), expected)


@given(maps(), st.sampled_from([torch.uint8, torch.int32, torch.int64]))
def test_the_counts_are_those_of_torchmetrics(pair, kind):
    """Integers, the same to the last one, in whatever integers labels are kept."""
    prediction, truth = (torch.from_numpy(array).to(kind) for array in pair)
    if bool((truth == VOID).all()):
        return
    found = confusion(prediction, truth, labels=labels, void=VOID)
    expected = multiclass_confusion_matrix(prediction, truth, num_classes=labels, ignore_index=VOID)
    assert found.dtype == torch.int64
    assert torch.equal(found, expected)


@pytest.mark.parametrize("count_of_labels", [1, 2, 21, 171])
def test_counts_of_many_labels_by_numpy(count_of_labels):
    generator = np.random.default_rng(count_of_labels)
    truth, prediction = generator.integers(0, count_of_labels, (2, 40, 30), dtype=np.uint8)
    truth[generator.random(truth.shape) < 0.1] = VOID
    expected = np.zeros((count_of_labels, count_of_labels), dtype=np.int64)
    np.add.at(expected, (truth[truth != VOID], prediction[truth != VOID]), 1)
    found = confusion(
        *map(torch.from_numpy, (prediction, truth)), labels=count_of_labels, void=VOID
    )
    assert found.tolist() == expected.tolist()


def test_torchmetrics_mean_over_many_images():
    generator = torch.Generator().manual_seed(0)
    ours = ConfusionMatrix(labels=labels)
    reference = MulticlassJaccardIndex(num_classes=labels, ignore_index=VOID, average="macro")
    for size in [(20, 30), (5, 7), (64, 3)]:
        prediction = torch.randint(labels, size, generator=generator)
        truth = torch.randint(labels, size, generator=generator)
        truth[0] = VOID
        ours.update(prediction, truth)
        reference.update(prediction, truth)
    assert scores(ours.compute()).miou == pytest.approx(float(reference.compute()), abs=1e-6)


@given(maps())
def test_void_does_not_count(pair):
    """Whatever is predicted there."""
    prediction, truth = pair
    other = np.where(truth == VOID, (prediction + 1) % labels, prediction)
    assert torch.equal(count(prediction, truth), count(other, truth))
    assert count(prediction, truth).sum() == (truth != VOID).sum()


def test_nothing_but_void():
    found = scores(count([[1, 2]], [[VOID, VOID]]))
    assert math.isnan(found.miou)
    assert found.iou == (None,) * labels


def test_counts_over_the_data_set_and_not_means_over_images():
    """Class 1: 1 of 1 in a small image, 0 of 9 in a large one; the data set says 1/10."""
    metric = ConfusionMatrix(labels=2)
    metric.update(torch.ones(1, 1, dtype=torch.long), torch.ones(1, 1, dtype=torch.long))
    metric.update(torch.zeros(3, 3, dtype=torch.long), torch.ones(3, 3, dtype=torch.long))
    assert scores(metric.compute()).iou == pytest.approx((0.0, 0.1))


def test_processes_merge_by_sums():
    """As torchmetrics does it: states are added."""
    generator = torch.Generator().manual_seed(1)
    pairs = torch.randint(labels, (6, 2, 9, 8), generator=generator)
    whole = ConfusionMatrix(labels=labels)
    first, second = (MergedConfusionMatrix(labels=labels) for _ in range(2))
    for i, (prediction, truth) in enumerate(pairs):
        whole.update(prediction, truth)
        (first if i < 2 else second).update(prediction, truth)
    first.merge_state(second)
    assert torch.equal(first.compute(), whole.compute())


def test_large_counts_stay_exact():
    """More pixels than float32 can count."""
    metric = ConfusionMatrix(labels=1)
    metric.counts += 2**25
    metric.update(torch.zeros(1, 3, dtype=torch.long), torch.zeros(1, 3, dtype=torch.long))
    assert metric.compute().item() == 2**25 + 3
