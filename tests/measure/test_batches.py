"""Samples are read ahead in order and met in batches of one shape."""

from types import SimpleNamespace

import pytest
import torch

from evaluation.measure.batches import CHUNK_BATCHES, bucket, chunks_of, read_ahead


def prepared(*shapes):
    """Samples that carry nothing but a shape."""
    return [SimpleNamespace(id=i, pixels=torch.empty(3, *s)) for i, s in enumerate(shapes)]


def test_batches_are_of_one_shape_and_lose_nothing():
    samples = prepared(*[(8 + 8 * (i % 3), 8) for i in range(20)])
    batches = list(bucket(samples, 4))
    assert sorted(item.id for batch in batches for item in batch) == list(range(20))
    assert all(len({item.pixels.shape for item in batch}) == 1 for batch in batches)
    assert max(map(len, batches)) == 4


def test_full_batches_come_at_once_and_the_others_in_their_order():
    samples = prepared((8, 8), (8, 16), (8, 8), (8, 24), (8, 16), (8, 8))
    found = [[item.id for item in batch] for batch in bucket(samples, 2)]
    assert found == [[0, 2], [1, 4], [3], [5]]


def test_what_is_left_makes_the_same_batches():
    samples = prepared(*[(8, 8 + 8 * (i * i % 5)) for i in range(23)])
    batches = [[item.id for item in batch] for batch in bucket(samples, 3)]
    for done in range(len(batches)):
        gone = {one for batch in batches[:done] for one in batch}
        left = [sample for sample in samples if sample.id not in gone]
        assert [[item.id for item in batch] for batch in bucket(left, 3)] == batches[done:]


@pytest.mark.parametrize(("images", "size"), [(0, 2), (1, 1), (16, 2), (17, 2), (40, 1)])
def test_chunks_are_of_whole_batches(images, size):
    setting = SimpleNamespace(ids=tuple(map(str, range(images))), batch_size=size)
    chunks = chunks_of(setting)
    assert [one for chunk in chunks for one in chunk] == list(setting.ids)
    assert all(len(chunk) == CHUNK_BATCHES * size for chunk in chunks[:-1])


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
