"""Resize rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gem import ShortSide, Square

sides = st.integers(1, 5000)
patches = st.sampled_from([8, 14, 16, 32])


@pytest.mark.parametrize(
    ("rule", "image", "patch", "expected"),
    [
        (ShortSide(), (375, 500), 16, (448, 592)),  # 597.3 is nearer to 37 patches than to 38
        (ShortSide(), (500, 375), 16, (592, 448)),
        (ShortSide(), (448, 448), 14, (448, 448)),
        (ShortSide(size=336), (300, 300), 16, (336, 336)),
        (ShortSide(size=336), (300, 300), 32, (352, 352)),  # 10.5 patches: halves upwards
        (ShortSide(size=448, cap=2048), (100, 1000), 16, (208, 2048)),  # the cap sets the scale
        (ShortSide(), (1, 1), 16, (448, 448)),
        (ShortSide(), (1, 10_000), 16, (16, 2048)),  # one row of patches at least
        (Square(), (375, 500), 16, (448, 448)),
        (Square(size=450), (1, 7), 14, (448, 448)),
        (Square(size=3), (375, 500), 16, (16, 16)),
        (ShortSide(multiple=56), (375, 500), 14, (448, 616)),
        (ShortSide(multiple=56), (375, 500), 16, (448, 560)),  # whole patches too: 112 pixels
        (ShortSide(size=336, rounding="pad"), (375, 500), 16, (336, 448)),
        (ShortSide(size=336, rounding="pad"), (333, 500), 16, (336, 505)),  # 504.5: upwards
        (ShortSide(size=336, rounding="pad"), (335, 500), 16, (336, 501)),  # 501.49
        (ShortSide(size=448, rounding="pad"), (100, 1000), 16, (205, 2048)),
        (ShortSide(rounding="pad"), (1, 100_000), 16, (1, 2048)),
        (Square(size=450, rounding="pad", multiple=56), (1, 7), 14, (450, 450)),
    ],
)
def test_sizes_by_hand(rule, image, patch, expected):
    assert rule.fit(*image, patch) == expected


@given(height=sides, width=sides, patch=patches, size=st.integers(1, 1000))
def test_sides_are_positive_multiples_of_the_patch(height, width, patch, size):
    for rule in (ShortSide(size=size), Square(size=size)):
        for side in rule.fit(height, width, patch):
            assert side >= patch
            assert side % patch == 0


@given(height=sides, width=sides, patch=patches)
def test_short_side_keeps_the_ratio_to_half_a_patch(height, width, patch):
    rule = ShortSide(size=448, cap=2048)
    scale = min(448 / min(height, width), 2048 / max(height, width))
    for side, asked in zip(rule.fit(height, width, patch), (height, width), strict=True):
        assert abs(side - asked * scale) <= patch / 2 + 1e-6 or side == patch


@given(height=sides, width=sides, patch=patches)
def test_turning_the_image_turns_the_size(height, width, patch):
    assert ShortSide().fit(width, height, patch) == ShortSide().fit(height, width, patch)[::-1]


def test_an_image_of_one_row_stays_bounded():
    assert ShortSide().fit(1, 100_000, 16) == (16, 2048)
    assert ShortSide(size=8192, cap=8192).fit(1, 100_000, 16) == (16, 8192)


def test_a_shorter_side_above_the_cap_is_no_size_of_any_image():
    with pytest.raises(ValidationError, match="a shorter side of 449 is above the cap of 448 for"):
        ShortSide(size=449, cap=448)
    assert ShortSide(size=448, cap=448).fit(100, 200, 16) == (224, 448)


@pytest.mark.parametrize("size", [0, -1, 44.8, "448", True, 8193, 10**30])
def test_sizes_are_positive_integers(size):
    for rule in (ShortSide, Square):
        with pytest.raises(ValidationError):
            rule(size=size)


@given(height=sides, width=sides, size=st.integers(1, 1000))
def test_padding_keeps_sides_to_the_pixel(height, width, size):
    rule = ShortSide(size=size, rounding="pad")
    scale = min(size / min(height, width), 2048 / max(height, width))
    for side, asked in zip(rule.fit(height, width, 16), (height, width), strict=True):
        assert abs(side - asked * scale) <= 0.5 + 1e-6 or side == 1


@pytest.mark.parametrize(
    "wrong", [{"filter": "bicubic"}, {"rounding": "crop"}, {"multiple": 0}, {"multiple": 1.5}],
    ids=str,
)  # fmt: skip
def test_choices_that_there_are_not(wrong):
    for rule in (ShortSide, Square):
        with pytest.raises(ValidationError):
            rule(**wrong)
