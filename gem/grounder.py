"""Prompts in, heat maps out: a segmenter for users of the library.

Shapes: y x pixels of the image, w prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import model_validator

from gem.options import options
from gem.vocabulary import Prompts, Vocabulary, check_text

if TYPE_CHECKING:
    from jaxtyping import Float
    from PIL import Image
    from torch import Tensor

    from gem.resize import Resize
    from gem.segmenter import Segmenter
    from gem.windows import SlidingWindow

AS_TYPED = Prompts(templates=("{}",))


@dataclass(frozen=True)
class Grounder:
    """Any segmenter with the geometry of its input, ready to ground words."""

    segmenter: Segmenter
    resize: Resize
    windows: SlidingWindow | None = None

    def heatmaps(self, image: Image.Image, prompts: Sequence[str]) -> Float[Tensor, "w y x"]:
        """One map per prompt, asked as typed, at the image's own size, each scaled to [0, 1].

        Raises ValueError if there are no prompts or one does not fit the text tower, and if an
        embedding or the scores are not finite.
        """
        from gem.image import min_max, upsample
        from gem.segmenter import in_range
        from gem.windows import tiling

        if not prompts:
            raise ValueError("no prompts: give at least one")
        typed = TypedPrompts(names=tuple(prompts), words=tuple(prompts))
        text = self.segmenter.embed(typed, AS_TYPED)
        check_text(text, prompts)
        queries = typed.with_text(text)
        batch = self.segmenter.prepare(image, resize=self.resize)[None]
        ((encoded,),) = self.segmenter.encode_together(
            [self.segmenter], batch, windows=tiling(self.resize, self.windows)
        )
        maps = encoded.scores(queries)
        if not in_range(maps):
            raise ValueError(
                f"{self.segmenter.title} gives scores for this image that are not finite"
            )
        return min_max(upsample(maps, (image.height, image.width)))


@options
class TypedPrompts(Vocabulary):
    """Each prompt is one word of one class as it was typed: ``;`` does not separate."""

    @property
    def class_words(self) -> tuple[tuple[int, str], ...]:
        """Every prompt with its place."""
        return tuple(enumerate(self.words))

    @model_validator(mode="after")
    def _paired(self) -> TypedPrompts:
        """Nothing is refused: the empty prompt is one too, asked for what all prompts share."""
        return self
