"""Drawn scenes as a data set: nothing to download, exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from evaluation.data.card import Card, load_card
from evaluation.data.sample import Sample
from evaluation.data.toy.seeds import EVAL, TUNE
from gem.options import PositiveInt, options

if TYPE_CHECKING:
    from collections.abc import Callable

    from evaluation.data.toy.scenes import Scene

Scenes = Annotated[PositiveInt, Field(le=1_000_000)]
"""How many scenes: a split has a million seeds."""
SceneSize = Annotated[PositiveInt, Field(ge=16, le=4096)]
"""The side of a scene in pixels; it is drawn at three times that."""
KEPT_BYTES = 64 * 2**20
"""How much of the drawn scenes of one size is kept."""


@options
class Toy:
    """Scenes of seeds that the tiny model was not trained on and, unless ``tune``, not tuned on.

    dataset: the name of the card. scenes: how many, a million at most. size: side of the drawn
    images and of their masks, 16 to 4096 pixels.
    split: ``eval`` or ``tune``; both are disjoint from the training seeds and from each other.
    """

    dataset: Literal["toy"] = "toy"
    scenes: Scenes = 200
    size: SceneSize = 128
    split: Literal["eval", "tune"] = "eval"

    @property
    def card(self) -> Card:
        """The card of the drawn scenes."""
        return load_card(self.dataset)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The seeds, as text."""
        seeds = EVAL if self.split == "eval" else TUNE
        return tuple(str(seed) for seed in seeds[: self.scenes])

    def check(self, ids: Sequence[str]) -> None:
        """Nothing can be missing."""

    def __getitem__(self, sample_id: str) -> Sample:
        """Draw one scene; the last ones are kept, so that the next method need not draw again."""
        from PIL import Image

        scene = drawer(self.size)(int(sample_id))
        return Sample(id=sample_id, image=Image.fromarray(scene.image), truth=scene.mask)


@lru_cache(maxsize=2)  # sizes: of the masks, and of the points if they have another
def drawer(size: int) -> Callable[[int], Scene]:
    """The function that draws scenes of one size by their seeds, keeping about `KEPT_BYTES`."""
    from evaluation.data.toy.scenes import draw_scene

    each = 4 * size * size  # an image of three channels and a mask, one byte each
    return lru_cache(maxsize=max(1, KEPT_BYTES // each))(partial(draw_scene, size=size))
