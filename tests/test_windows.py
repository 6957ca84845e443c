"""Sliding windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gem.windows import SlidingWindow


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
