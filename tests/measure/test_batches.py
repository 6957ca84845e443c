"""Samples are read ahead in order and met in batches of one shape."""

from types import SimpleNamespace

import pytest
import torch

from evaluation.measure.batches import WAITING_BATCHES, bucket, read_ahead


def prepared(*shapes):
    """Samples that carry nothing but a shape."""
    return [SimpleNamespace(id=i, pixels=torch.empty(3, *s)) for i, s in enumerate(shapes)]


def test_batches_are_of_one_shape_and_lose_nothing():
    samples = prepared(*[(8 + 8 * (i % 3), 8) for i in range(20)])
    batches = list(bucket(samples, 4))
    assert sorted(item.id for batch in batches for item in batch) == list(range(20))
    assert all(len({item.pixels.shape for item in batch}) == 1 for batch in batches)
    assert max(map(len, batches)) == 4


def test_few_samples_wait_even_if_every_shape_differs():
    taken = 0

    def source():
        nonlocal taken
        for sample in prepared(*[(8, 8 * i) for i in range(1, 200)]):
            taken += 1
            yield sample

    given = 0
    for batch in bucket(source(), 2):
        assert taken - given <= WAITING_BATCHES * 2
        given += len(batch)
    assert given == 199


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_samples_read_ahead_keep_their_order(workers):
    names = [str(i) for i in range(50)]
    assert list(read_ahead(names, int, workers=workers)) == list(range(50))


def test_reading_ahead_is_bounded():
    read = []
    ahead = read_ahead([str(i) for i in range(100)], read.append, workers=2)
    next(ahead)
    assert len(read) <= 4 * 2 + 1
    ahead.close()
