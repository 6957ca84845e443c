"""p-mIoU: the twelve readings by hand, and counts that merge exactly."""

import os
from fractions import Fraction

import pytest
import torch
import torch.multiprocessing as mp

from evaluation.metrics.merged import MergedPointCounts
from evaluation.metrics.points import PointCounts, class_sums, count_points, readings

# Two images: [class, TP, FN, FP, TN]. Class 2 has no-points only, of which one is inside; class 3
# has no-points only and none inside, so that it has no IoU of its yes side.
FIRST = torch.tensor([[0, 3, 1, 0, 2], [1, 1, 1, 2, 0], [2, 0, 0, 1, 3]])
SECOND = torch.tensor([[0, 0, 2, 1, 1], [3, 0, 0, 0, 4]])
ROWS = torch.cat([torch.nn.functional.pad(FIRST, (1, 0), value=0),
                  torch.nn.functional.pad(SECOND, (1, 0), value=1)])  # fmt: skip
EXPECTED = {
    "pmiou": Fraction(1, 4),  # 4/8 and 0/3
    "pmiou_both": Fraction(13, 48),  # (4/8 + 2/6) / 2 and (0/3 + 1/4) / 2
    "pmiou_all": Fraction(2, 9),  # 4/9 and 0/3
    "pmiou_both_all": Fraction(113, 288),  # (4/9 + 5/10) / 2 and (0/3 + 5/8) / 2
    "pmiou_class": Fraction(19, 56),  # 3/7 and 1/4
    "pmiou_class_both": Fraction(31, 112),  # (3/7 + 3/7) / 2 and (1/4 + 0/3) / 2
    "pmiou_class_all": Fraction(19, 84),  # 3/7, 1/4 and 0/1; 0/0 is left out
    "pmiou_class_both_all": Fraction(27, 56),  # 3/7, 1/8, (0/1 + 3/4) / 2 and 4/4
    "pmiou_pair": Fraction(1, 3),  # 3/4, 1/4 and 0/3
    "pmiou_pair_both": Fraction(23, 72),  # (3/4 + 2/3) / 2, (1/4 + 0/3) / 2 and (0/3 + 1/4) / 2
    "pmiou_pair_all": Fraction(1, 4),  # 3/4, 1/4, 0/1 and 0/3
    "pmiou_pair_both_all": Fraction(7, 15),  # 17/24, 1/8, 3/8, 1/8 and 1
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_reading_by_hand(name):
    assert readings(ROWS)[name] == pytest.approx(float(EXPECTED[name]), abs=1e-15)


def test_there_are_twelve_and_the_headline_is_first():
    assert set(readings(ROWS)) == set(EXPECTED)
    assert next(iter(readings(ROWS))) == "pmiou"


def test_points_are_counted_by_class():
    inside = torch.tensor([True, False, True, False, True, True])
    place, classes = torch.tensor([1, 1, 1, 1, 0, 0]), torch.tensor([2, 7])
    positive = torch.tensor([True, True, False, False, True, False])
    found = count_points(inside, place, positive, classes)
    assert found.tolist() == [[2, 1, 0, 1, 0], [7, 1, 1, 1, 1]]


def test_a_class_is_summed_over_images():
    expected = [[0, 3, 3, 1, 3], [1, 1, 1, 2, 0], [2, 0, 0, 1, 3], [3, 0, 0, 0, 4]]
    assert class_sums(ROWS).tolist() == expected


def test_rows_are_sorted_by_image_and_class():
    metric = PointCounts()
    metric.update(1, torch.tensor([[5, 1, 0, 0, 9], [2, 2, 0, 0, 0]]))
    metric.update(0, torch.tensor([[7, 3, 0, 0, 0]]))
    found = metric.compute().tolist()
    assert found == [[0, 7, 3, 0, 0, 0], [1, 2, 2, 0, 0, 0], [1, 5, 1, 0, 0, 9]]


def test_nothing_counted_gives_no_rows():
    nothing = torch.zeros(0, 5, dtype=torch.int64)
    assert count_all([(3, nothing)]).compute().shape == (0, 6)


def random_counts(images=60):
    """Counts of some classes of each of many images, so that means of floats do depend on order."""
    generator = torch.Generator().manual_seed(2)
    for image in range(images):
        classes = torch.randperm(40, generator=generator)[: 1 + image % 5].sort().values
        counts = torch.randint(0, 9, (len(classes), 4), generator=generator)
        yield image, torch.cat([classes[:, None], counts], dim=1)


def count_all(images, kind=PointCounts):
    metric = kind()
    for image, counts in images:
        metric.update(image, counts)
    return metric


def test_neither_order_nor_merging_changes_a_bit():
    images = list(random_counts())
    whole = count_all(images).compute()
    assert torch.equal(count_all(images[::-1]).compute(), whole)
    merged = count_all(images[1::2], MergedPointCounts)
    merged.merge_state(count_all(images[0::2], MergedPointCounts))
    assert torch.equal(merged.compute(), whole)
    assert readings(merged.compute()) == readings(whole)


def one_process(rank, address, images, answers):
    """Process 0 has the even images, process 1 the odd ones, process 2 none at all."""
    torch.set_num_threads(1)  # a forked process does not have the threads of its parent
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=3)
    metric = count_all(images[rank::2] if rank < 2 else [], MergedPointCounts)
    answers.put((rank, metric.compute().tolist()))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes of this test are forked")
@pytest.mark.filterwarnings("ignore")
def test_processes_merge_exactly(tmp_path):
    context, images = mp.get_context("fork"), list(random_counts())
    answers = context.Queue()
    address = f"file://{tmp_path}/store"
    started = [
        context.Process(target=one_process, args=(rank, address, images, answers), daemon=True)
        for rank in range(3)
    ]
    for process in started:
        process.start()
    found = dict(answers.get(timeout=60) for _ in started)
    for process in started:
        process.join(timeout=60)
    whole = count_all(images).compute().tolist()
    assert found == dict.fromkeys(range(3), whole)
