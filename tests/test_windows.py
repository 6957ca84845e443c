"""Sliding windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gem.resize import ShortSide
from gem.windows import Padded, SlidingWindow, tiles_of, tiling


@pytest.mark.parametrize(
    ("windows", "image", "expected"),
    [
        ((4, 2), (4, 8), [(0, 0), (0, 2), (0, 4)]),
        ((4, 3), (4, 9), [(0, 0), (0, 3), (0, 5)]),  # the last is moved back to the border
        ((4, 4), (8, 8), [(0, 0), (0, 4), (4, 0), (4, 4)]),
        ((4, 2), (3, 2), [(0, 0)]),
        ((4, 1), (4, 4), [(0, 0)]),
    ],
)
def test_corners_by_hand(windows, image, expected):
    size, stride = windows
    assert SlidingWindow(size=size, stride=stride).corners(*image) == tuple(expected)


@given(
    size=st.integers(1, 20), share=st.floats(0, 1), height=st.integers(1, 50),
    width=st.integers(1, 50),
)  # fmt: skip
def test_every_pixel_is_seen_by_whole_windows(size, share, height, width):
    windows = SlidingWindow(size=size, stride=max(1, round(size * share)))
    seen = np.zeros((height, width), dtype=int)
    shape = windows.shape(height, width)
    for top, left in windows.corners(height, width):
        assert top + shape[0] <= height
        assert left + shape[1] <= width
        seen[top : top + shape[0], left : left + shape[1]] += 1
    assert seen.min() >= 1


@pytest.mark.parametrize("wrong", [(0, 1), (4, 0), (4, 5), (8193, 1), (10**30, 10**30)])
def test_windows_leave_no_gaps(wrong):
    with pytest.raises(ValidationError):
        SlidingWindow(size=wrong[0], stride=wrong[1])


@pytest.mark.parametrize(
    ("size", "stride", "expected"), [(27, 13, (24, 8)), (8, 8, (8, 8)), (5, 3, (8, 8))]
)
def test_windows_of_whole_patches(size, stride, expected):
    """At least one patch of 8 pixels."""
    found = SlidingWindow(size=size, stride=stride).whole_patches(8)
    assert (found.size, found.stride) == expected


@pytest.mark.parametrize(
    ("multiple", "size", "shape", "padding"),
    [  # left, right, top, bottom: windows of 27 every 13, a patch of 8
        (None, (40, 60), (27, 27), (2, 3, 2, 3)),
        (None, (20, 60), (20, 27), (2, 3, 2, 2)),  # lower than a window
        (None, (24, 32), (24, 27), (2, 3, 0, 0)),
        (20, (40, 60), (27, 27), (6, 7, 6, 7)),
        (1, (40, 60), (27, 27), (0, 0, 0, 0)),
        (1, (40, 5), (27, 5), (1, 2, 0, 0)),  # one patch at least
    ],
)
def test_padding_by_hand(multiple, size, shape, padding):
    windows = SlidingWindow(size=27, stride=13)
    found = Padded(windows, multiple).tiles(size, 8)
    assert (found.shape, found.padding, found.upsampled) == (shape, padding, True)
    assert found.corners == windows.corners(*size)
    left, right, top, bottom = padding
    assert found.seen == (shape[0] + top + bottom, shape[1] + left + right)
    inside = np.zeros(found.seen)[found.inside]
    assert inside.shape == shape


@pytest.mark.parametrize(("size", "upsampled"), [((40, 64), False), ((40, 60), True)])
def test_without_windows_the_whole_image_is_padded(size, upsampled):
    """What needs no padding goes from patches straight to the mask."""
    found = Padded(None, None).tiles(size, 8)
    assert (found.corners, found.shape, found.upsampled) == (((0, 0),), size, upsampled)


def test_who_pads():
    windows = SlidingWindow(size=27, stride=13)
    assert tiling(ShortSide(), None) is None
    assert tiling(ShortSide(), windows) is windows
    assert tiling(ShortSide(rounding="pad", multiple=56), windows) == Padded(windows, 56)
    assert tiles_of((40, 64), None, 8).shape == (40, 64)
    assert not tiles_of((40, 64), None, 8).upsampled
    assert tiles_of((40, 64), windows, 8).shape == (24, 24)
    assert tiles_of((40, 64), windows, 8).upsampled
