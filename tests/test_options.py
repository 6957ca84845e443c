"""Typed options and how they are printed."""

from dataclasses import field
from pathlib import Path

import pytest
from pydantic import ValidationError

from gem import Clip, Gem, OpenClip, ShortSide
from gem.options import PositiveInt, changed, options


@options
class Odd:
    """Defaults of every kind, and none."""

    needed: PositiveInt
    path: Path | None = None
    pair: tuple[int, ...] = field(default_factory=lambda: (1, 2))


@pytest.mark.parametrize(
    ("parts", "printed"),
    [
        (Clip(), ""),
        (Gem(), ""),
        (Gem(iters=1, blocks=4), ""),
        (Gem(iters=3, projections=("q", "k")), "iters=3 projections=qk"),
        (
            Gem(blocks=6, normalize=False, temperature=0.5),
            "temperature=0.5 normalize=False blocks=6",
        ),
        (ShortSide(size=336), "size=336"),
        (Odd(needed=3), "needed=3"),
        (Odd(needed=3, path=Path("a"), pair=(4,)), "needed=3 path=a pair=4"),
    ],
    ids=str,
)
def test_options_that_are_not_the_defaults(parts, printed):
    assert changed(parts) == printed


@pytest.mark.parametrize("number", [0.0, -1.0, 1e-300, 1e300, float("nan"), float("inf")])
def test_numbers_that_single_precision_does_not_hold(number):
    for name in ("temperature", "temperature_scale"):
        with pytest.raises(ValidationError, match=r"expected a number from 1\.2e-38 to 3\.4e\+38"):
            Gem(**{name: number})


def test_a_quotient_that_single_precision_does_not_hold():
    said = (
        "temperature_scale=1e+38 over temperature=1e-38 is 1e+76, expected a number from 1.2e-38 "
        "to 3.4e+38"
    )
    with pytest.raises(ValidationError) as caught:
        Gem(temperature_scale=1e38, temperature=2e-38)
    assert said.replace("1e-38", "2e-38").replace("1e+76", "5e+75") in str(caught.value)
    assert Gem(temperature_scale=1e38).temperature == "adaptive"
    assert Gem(temperature_scale=1e38, temperature=1e38).temperature == 1e38


@pytest.mark.parametrize("iters", [1001, 10**20])
def test_iterations_have_an_end(iters):
    with pytest.raises(ValidationError, match="less than or equal to 1000"):
        Gem(iters=iters)
    assert Gem(iters=1000).iters == 1000


@pytest.mark.parametrize("seed", [-1, 2**63, 10**20])
def test_seeds_are_those_that_torch_takes(seed):
    with pytest.raises(ValidationError):
        OpenClip(model="tiny", seed=seed)
    assert OpenClip(model="tiny", seed=2**63 - 1).seed == 2**63 - 1
