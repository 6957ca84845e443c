"""Heat maps against masks, without competition between classes."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evaluation.metrics import HeatmapIoU, overlaps
from evaluation.metrics.heatmap import over_half
from evaluation.metrics.merged import MergedHeatmapIoU
from gem.image import ROUNDING, min_max

VOID = 255


def counts(maps, truth, *, first=1):
    found = overlaps(torch.tensor(maps), torch.tensor(truth), first=first, void=VOID)
    return found.tolist()


def test_worked_by_hand():
    """Class 1 scaled: 0, 1/3, 2/3, 1; over 0.5 are the last two, of which one is right."""
    maps = [[[1.0, 2.0], [3.0, 4.0]], [[9.0, 0.0], [0.0, 0.0]]]
    assert counts(maps, [[1, 0], [0, 1]]) == [[1, 3], [0, 0]]  # class 2 is not shown


def test_labels_without_a_background_start_at_zero():
    maps = [[[1.0, 0.0]], [[0.0, 1.0]]]
    assert counts(maps, [[0, 1]], first=0) == [[1, 1], [1, 1]]


def test_void_pixels_are_neither_hit_nor_miss():
    maps = [[[0.0, 1.0, 1.0, 0.9]]]
    assert counts(maps, [[0, 1, VOID, VOID]]) == [[1, 1]]


def test_void_pixels_still_scale_the_map():
    """The map is scaled as it is shown, over the whole image."""
    assert counts([[[0.0, 1.0, 10.0]]], [[0, 1, VOID]]) == [[0, 1]]


def test_a_constant_map_covers_nothing():
    assert counts([[[0.3, 0.3]]], [[0, 1]]) == [[0, 1]]


def test_maps_do_not_compete():
    """Both words may claim the same pixel, and a map's height means nothing."""
    maps = [[[0.0, 100.0]], [[0.0, 0.001]]]
    assert counts(maps, [[1, 2]]) == [[0, 2], [1, 1]]


def test_maps_are_upsampled_to_the_truth():
    """2 patches over 8 pixels: 0, 0, 1/8, 3/8, 5/8, 7/8, 1, 1; four are over a half."""
    assert counts([[[0.0, 8.0]]], [[0, 0, 0, 0, 0, 1, 1, 1]]) == [[3, 4]]


def test_mean_over_the_classes_that_occur():
    metric = HeatmapIoU(classes=3, first=1)
    maps = torch.tensor([[[1.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 1.0, 1.0]], [[1.0, 0.0, 1.0, 0.0]]])
    metric.update(maps, torch.tensor([[1, 1, 2, 2]]))
    metric.update(maps, torch.tensor([[1, 0, 0, 0]]))
    assert metric.counts.tolist() == [[2, 3], [2, 2], [0, 0]]
    assert metric.compute().item() == pytest.approx((2 / 3 + 1) / 2)


def test_no_object_at_all():
    metric = HeatmapIoU(classes=2, first=1)
    metric.update(torch.rand(2, 3, 3), torch.zeros(3, 3, dtype=torch.long))
    assert math.isnan(metric.compute())


def test_processes_merge_by_sums():
    generator = torch.Generator().manual_seed(1)
    truths = torch.randint(4, (4, 6, 6), generator=generator)
    whole = HeatmapIoU(classes=3, first=1)
    first, second = (MergedHeatmapIoU(classes=3, first=1) for _ in range(2))
    for i, truth in enumerate(truths):
        maps = torch.rand(3, 2, 2, generator=generator)
        whole.update(maps, truth)
        (first if i % 2 else second).update(maps, truth)
    first.merge_state(second)
    assert torch.equal(first.counts, whole.counts)
    assert first.compute() == whole.compute()


@given(low=st.floats(-1, 1), span=st.floats(ROUNDING / 2, 2))
def test_over_half_is_that_of_the_scaled_map(low, span):
    """Also for the numbers next to the middle, where a quotient is rounded."""
    ends = torch.tensor([low, low + span])
    middle, near = ends.mean(), [ends[0], ends[1]]
    for _ in range(4):
        near += [torch.nextafter(near[-2], middle), torch.nextafter(near[-1], middle)]
    above = below = middle
    for _ in range(4):
        above, below = (
            torch.nextafter(one, end) for one, end in ((above, ends[1]), (below, ends[0]))
        )
        near += [above, below]
    maps = torch.stack([*near, middle])[None, None]
    assert torch.equal(over_half(maps), min_max(maps) > 0.5)


def test_labels_that_are_known_need_not_be_asked():
    maps = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    truth = torch.randint(0, 5, (9, 7), generator=torch.Generator().manual_seed(1))
    truth[truth == 4] = VOID
    asked = overlaps(maps, truth, first=1, void=VOID)
    assert torch.equal(overlaps(maps, truth, first=1, void=VOID, shown=[0, 1, 2, 3, VOID]), asked)


def test_an_image_that_is_all_void_counts_nothing():
    assert counts([[[0.0, 1.0]]], [[VOID, VOID]]) == [[0, 0]]
