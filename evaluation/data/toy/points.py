"""Points on the drawn scenes: point accuracy with nothing to download."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from evaluation.data.card import Card, load_card
from evaluation.data.sample import Points, Sample
from evaluation.data.toy.masks import Scenes, SceneSize, Toy
from gem.options import Count, PositiveInt, options

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool, Int64, UInt8

STREAM = 7  # of a seed's random numbers; drawing the scene takes another


@options
class ToyPoints:
    """Seeded points on the scenes of `Toy`, at the centres of pixels.

    dataset: the name of the card. scenes, size, split: as in `Toy`.
    points: yes-points inside each shown kind, and as many no-points outside of it; fewer where it
        shows fewer pixels.
    absent: kinds that a scene does not show and that get no-points all the same.
    """

    dataset: Literal["toy_points"] = "toy_points"
    scenes: Scenes = 200
    size: SceneSize = 128
    split: Literal["eval", "tune"] = "eval"
    points: PositiveInt = 10
    absent: Count = 2

    @property
    def card(self) -> Card:
        """The card of the points."""
        return load_card(self.dataset)

    @property
    def ids(self) -> tuple[str, ...]:
        """The seeds, as text."""
        return self._scenes.ids

    def check(self, ids: Sequence[str]) -> None:
        """Nothing can be missing."""

    def __getitem__(self, sample_id: str) -> Sample:
        """Draw one scene and its points."""
        scene = self._scenes[sample_id]
        return Sample(
            id=sample_id, image=scene.image, truth=self._draw(int(sample_id), scene.truth)
        )

    @cached_property
    def _scenes(self) -> Toy:
        return Toy(scenes=self.scenes, size=self.size, split=self.split)

    def _draw(self, seed: int, mask: UInt8[np.ndarray, "y x"]) -> Points:
        import numpy as np

        rng = np.random.default_rng([STREAM, seed])
        kinds = np.arange(1, len(self.card.classes) + 1)  # their labels; 0 is the background
        shown = np.intersect1d(kinds, mask)
        others = np.setdiff1d(kinds, shown)
        absent = rng.choice(others, min(self.absent, len(others)), replace=False)
        parts = [
            (kind, answer, self._pick(rng, (mask == kind) == answer))
            for kind, answer in [(k, a) for k in shown for a in (True, False)]
            + [(k, False) for k in np.sort(absent)]
        ]
        pixel = np.concatenate([pixels for _, _, pixels in parts])
        counts = [len(pixels) for _, _, pixels in parts]
        rows, columns = np.divmod(pixel, mask.shape[1])
        return Points(
            x=(columns + 0.5) / mask.shape[1],
            y=(rows + 0.5) / mask.shape[0],
            label=np.repeat([kind - 1 for kind, _, _ in parts], counts),
            positive=np.repeat([answer for _, answer, _ in parts], counts),
            size=(mask.shape[0], mask.shape[1]),
            number=seed,
        )

    def _pick(
        self, rng: np.random.Generator, where: Bool[np.ndarray, "y x"]
    ) -> Int64[np.ndarray, " n"]:
        import numpy as np

        pixels = np.flatnonzero(where)
        return rng.choice(pixels, min(self.points, len(pixels)), replace=False)
