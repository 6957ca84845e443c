"""Drawn scenes are kept, but not all of them."""

import pytest

from evaluation.data import Toy, ToyPoints
from evaluation.data.toy import masks, scenes


@pytest.fixture
def drawn(monkeypatch):
    """Which seeds are drawn, in order; nothing is kept from other tests."""
    masks.drawer.cache_clear()
    seeds, draw = [], scenes.draw_scene
    monkeypatch.setattr(
        scenes, "draw_scene", lambda seed, *, size: seeds.append(seed) or draw(seed, size=size)
    )
    yield seeds
    masks.drawer.cache_clear()


def test_a_scene_is_drawn_once_for_masks_and_points(drawn):
    toy, points = Toy(scenes=2, size=32), ToyPoints(scenes=2, size=32)
    for name in [*toy.ids, *points.ids, *toy.ids]:
        toy[name], points[name]
    assert drawn == [0, 1]


@pytest.mark.parametrize(("size", "scenes_kept"), [(128, 1024), (64, 4096), (512, 64), (9000, 1)])
def test_as_many_are_kept_as_fit(size, scenes_kept):
    masks.drawer.cache_clear()
    assert masks.drawer(size).cache_info().maxsize == scenes_kept


def test_what_is_counted_is_what_a_scene_takes():
    scene = scenes.draw_scene(0, size=32)
    assert scene.image.nbytes + scene.mask.nbytes == 4 * 32 * 32


def test_the_oldest_goes_first(drawn, monkeypatch):
    monkeypatch.setattr(masks, "KEPT_BYTES", 2 * 4 * 32 * 32)
    toy = Toy(scenes=3, size=32)
    for name in ["0", "1", "0", "2", "0", "1"]:
        _ = toy[name]
    assert drawn == [0, 1, 2, 1]
    assert masks.drawer(32).cache_info().currsize == 2
