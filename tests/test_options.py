"""Typed options and how they are printed."""

from dataclasses import field
from pathlib import Path

import pytest

from gem import Clip, Gem, ShortSide
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
