"""Prompts in, heat maps out: a segmenter for users of the library.

Shapes: y x pixels of the image, u v rows and columns of patches, w prompts, e embedding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, overload

from pydantic import model_validator

from gem.options import options
from gem.vocabulary import Prompts, Vocabulary, check_text

if TYPE_CHECKING:
    from jaxtyping import Float
    from PIL import Image
    from torch import Tensor

    from gem.given import Picture
    from gem.resize import Resize
    from gem.segmenter import EncodedImage, Segmenter
    from gem.vocabulary import Queries
    from gem.windows import SlidingWindow

AS_TYPED = Prompts(templates=("{}",))
TOGETHER = 8  # images of one size in a forward pass


@dataclass(frozen=True)
class Grounder:
    """Any segmenter with the geometry of its input, ready to ground words.

    An image is one of Pillow, a path, a numpy array [y, x, 3] or a tensor [3, y, x], of uint8 or in
    [0, 1]. Each function takes one, and gives one tensor, or a list of them, and gives a list. Of
    prompts one may be given as a string; all are asked as they are typed.
    """

    segmenter: Segmenter
    resize: Resize
    windows: SlidingWindow | None = None

    @overload
    def heatmaps(
        self, images: list[Any] | tuple[Any, ...], prompts: str | Sequence[str]
    ) -> list[Float[Tensor, "w y x"]]: ...
    @overload
    def heatmaps(self, images: Picture, prompts: str | Sequence[str]) -> Float[Tensor, "w y x"]: ...
    def heatmaps(self, images: Any, prompts: str | Sequence[str]) -> Any:
        """One map per prompt at the image's own size, each scaled to [0, 1] on its own.

        A prompt that is not in the image has its highest value somewhere too, and that becomes 1:
        `scores` tells one from the other. Raises what `scores` raises.
        """
        from gem.image import min_max

        found = self.scores(images, prompts)
        return [min_max(one) for one in found] if isinstance(found, list) else min_max(found)

    @overload
    def scores(
        self, images: list[Any] | tuple[Any, ...], prompts: str | Sequence[str]
    ) -> list[Float[Tensor, "w y x"]]: ...
    @overload
    def scores(self, images: Picture, prompts: str | Sequence[str]) -> Float[Tensor, "w y x"]: ...
    def scores(self, images: Any, prompts: str | Sequence[str]) -> Any:
        """The segmenter's own score of each prompt at every pixel: for patches, the cosine.

        Raises ValueError or TypeError if there are no prompts, one does not fit the text tower, or
        an image is none, and ValueError if an embedding or the scores are not finite.
        """
        from gem.given import as_images, as_prompts
        from gem.image import upsample

        asked, (pictures, several) = as_prompts(prompts), as_images(images)
        queries = self._queries(asked)
        found = []
        for picture, encoded in zip(pictures, self._encoded(pictures), strict=True):
            maps = upsample(encoded.scores(queries), (picture.height, picture.width))
            self._check(maps)
            found.append(maps)
        return found if several else found[0]

    @overload
    def features(self, images: list[Any] | tuple[Any, ...]) -> list[Float[Tensor, "u v e"]]: ...
    @overload
    def features(self, images: Picture) -> Float[Tensor, "u v e"]: ...
    def features(self, images: Any) -> Any:
        """Unit-length features of the patches, in the space of the text embeddings.

        Raises ValueError for a segmenter without any (its scores come another way), and with
        windows, whose patches lie over each other.
        """
        from gem.features import PatchFeatures
        from gem.given import as_images

        pictures, several = as_images(images)
        found = []
        for encoded in self._encoded(pictures):
            if not isinstance(encoded, PatchFeatures):
                said = f"{self.segmenter.title} has no features of patches"
                raise ValueError(said)  # noqa: TRY004 the caller gave no wrong type
            if encoded.tiles.upsampled:
                raise ValueError("patches of windows or padded images lie on no single grid")
            found.append(encoded.features[0])
        return found if several else found[0]

    def embed(self, prompts: str | Sequence[str]) -> Float[Tensor, "w e"]:
        """Unit-length embeddings of prompts as they are typed, to compare with `features`."""
        from gem.given import as_prompts

        return self._queries(as_prompts(prompts)).text

    def _queries(self, prompts: tuple[str, ...]) -> Queries:
        typed = TypedPrompts(names=prompts, words=prompts)
        text = self.segmenter.embed(typed, AS_TYPED)
        check_text(text, prompts)
        return typed.with_text(text)

    def _encoded(self, pictures: Sequence[Image.Image]) -> Iterator[EncodedImage]:
        """The images in their order; neighbours that the model sees at one size go together."""
        import torch

        from gem.windows import tiling

        tiles = tiling(self.resize, self.windows)
        prepared = (self.segmenter.prepare(one, resize=self.resize) for one in pictures)
        for _, group in groupby(prepared, key=lambda one: one.shape):
            rest = list(group)
            while rest:
                batch, rest = torch.stack(rest[:TOGETHER]), rest[TOGETHER:]
                (found,) = self.segmenter.encode_together([self.segmenter], batch, windows=tiles)
                yield from found

    def _check(self, maps: Float[Tensor, "w y x"]) -> None:
        from gem.segmenter import in_range

        if not in_range(maps):
            raise ValueError(
                f"{self.segmenter.title} gives scores for this image that are not finite"
            )


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
