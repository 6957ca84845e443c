"""Points on drawn scenes."""

import numpy as np
import pytest
from pydantic import ValidationError

from evaluation.data import Toy, ToyPoints, load_card
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


@pytest.mark.parametrize("kind", [Toy, ToyPoints])
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("scenes", 1_000_001, "less than or equal to 1000000"),
        ("scenes", 0, "greater than or equal to 1"),
        ("size", 15, "greater than or equal to 16"),
        ("size", 4097, "less than or equal to 4096"),
    ],
)
def test_more_than_there_is_to_draw_is_refused(kind, field, value, said):
    """A million and one scenes were a million."""
    with pytest.raises(ValidationError, match=f"{field}\n  Input should be {said} "):
        kind(**{field: value})


def test_a_million_scenes_are_a_million():
    assert len(Toy(scenes=1_000_000).ids) == len(set(Toy(scenes=1_000_000).ids)) == 1_000_000
