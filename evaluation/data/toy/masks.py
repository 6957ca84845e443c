"""Drawn scenes as a data set: nothing to download, exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Literal

from evaluation.data.card import Card, load_card
from evaluation.data.sample import Sample
from gem.options import PositiveInt, options

if TYPE_CHECKING:
    from evaluation.data.toy.scenes import Scene


@options
class Toy:
    """Scenes of seeds that the tiny model was never trained or tuned on, unless asked for.

    dataset: the name of the card. scenes: how many. size: side of the drawn images and of their
    masks, in pixels.
    split: ``eval`` or ``tune``; both are disjoint from the training seeds and from each other.
    """

    dataset: Literal["toy"] = "toy"
    scenes: PositiveInt = 200
    size: PositiveInt = 128
    split: Literal["eval", "tune"] = "eval"

    @property
    def card(self) -> Card:
        """The card of the drawn scenes."""
        return load_card(self.dataset)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The seeds, as text."""
        from evaluation.data.toy.scenes import EVAL, TUNE

        seeds = EVAL if self.split == "eval" else TUNE
        return tuple(str(seed) for seed in seeds[: self.scenes])

    def check(self, ids: Sequence[str]) -> None:
        """Nothing can be missing."""

    def __getitem__(self, sample_id: str) -> Sample:
        """Draw one scene; kept, so that the next method does not draw it again."""
        from PIL import Image

        scene = _drawn(int(sample_id), self.size)
        return Sample(id=sample_id, image=Image.fromarray(scene.image), truth=scene.mask)


@cache
def _drawn(seed: int, size: int) -> Scene:
    from evaluation.data.toy.scenes import draw_scene

    return draw_scene(seed, size=size)
