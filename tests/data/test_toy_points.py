"""Points on drawn scenes."""

import numpy as np

from evaluation.data import ToyPoints, load_card
from evaluation.data.toy.scenes import KINDS, draw_scene


def points_of(**options):
    return ToyPoints(scenes=6, size=64, **options)


def test_drawn_points_are_the_same_every_time():
    for name in points_of().ids:
        first, second = points_of()[name].truth, points_of()[name].truth
        for field in ("x", "y", "label", "positive"):
            assert np.array_equal(getattr(first, field), getattr(second, field))
        assert (first.size, first.number) == ((64, 64), int(name))


def test_drawn_points_say_the_truth():
    assert load_card("toy_points").classes == KINDS
    for name in points_of().ids:
        truth, scene = points_of()[name].truth, draw_scene(int(name), size=64)
        pixel = (np.floor(truth.y * 64).astype(int), np.floor(truth.x * 64).astype(int))
        assert np.array_equal(scene.mask[pixel] == truth.label + 1, truth.positive)
        shown = {KINDS.index(kind) for kind in scene.kinds}
        assert set(truth.label[truth.positive].tolist()) == shown
        assert len(set(truth.label.tolist()) - shown) == 2
        for label in shown:
            assert (truth.label == label).sum() == 20


def test_drawn_points_as_many_as_asked():
    truth = points_of(points=3, absent=0)["0"].truth
    shown = set(truth.label.tolist())
    assert len(truth.label) == 6 * len(shown)
