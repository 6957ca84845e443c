"""The seam: what everything that can be evaluated promises, CLIP or not.

Shapes: b images, y x pixels, u v rows and columns of a map, w words, e embedding.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch
    from jaxtyping import Bool, Float, Int
    from PIL import Image
    from torch import Tensor

    from gem.provenance import Provenance
    from gem.resize import Resize
    from gem.vocabulary import Prompts, Queries, Vocabulary
    from gem.windows import Tiling

LARGEST = 1e30  # the size of a score: what is computed from such scores in float32 stays finite


@runtime_checkable
class EncodedImage(Protocol):
    """What a segmenter made of one image."""

    @property
    def labels(self) -> Int[Tensor, "y x"] | None:
        """None where the evaluation's protocol decides, from `scores`.

        A tensor where the segmenter has decided by itself, for example label maps that another
        program wrote: labels as the data set counts them, at the size of its truth.
        """

    @property
    def pixels(self) -> Float[Tensor, "3 y x"] | None:
        """The image as the model got it, each channel scaled in whatever way; None if not kept.

        For rules that look at the image again (`evaluation.setting.Pamr`).
        """

    def scores(self, queries: Queries) -> Float[Tensor, "w u v"]:
        """One map per word, higher where the word fits better; of any resolution.

        What is not finite, or beyond `LARGEST`, ends the evaluation with an error.
        """

    def nothing(self, queries: Queries) -> Float[Tensor, "u v"] | None:
        """The score that a pixel shows none of the words, which all of them must exceed.

        None where the evaluation's protocol says what is background. A tensor where the segmenter
        has a rule of its own, in the units of `scores`, of any resolution.
        """


def in_range(maps: Float[Tensor, "*w u v"]) -> Bool[Tensor, ""]:
    """Whether all scores are finite and at most `LARGEST` in size; one reduction, where they are.

    nan passes through both extremes, and no comparison with it holds.
    """
    low, high = maps.aminmax()
    return (low.float() >= -LARGEST) & (high.float() <= LARGEST)


class Segmenter(Protocol):
    """Encodes images, and scores words on what it has encoded.

    Geometry belongs to the evaluation's protocol: it is an argument here, never a field.
    """

    @property
    def title(self) -> str:
        """The name that tables print."""

    @property
    def published(self) -> str:
        """Year and month, ``2023-12``: the order of tables."""

    @property
    def variant(self) -> str:
        """The options that are not the defaults, ``iters=3 blocks=6``; "" if there are none."""

    @property
    def provenance(self) -> Provenance:
        """Model and weights; builds no model."""

    @property
    def decides(self) -> bool:
        """Whether it decides by its own rule: all that it encodes has labels, or `nothing`."""

    @property
    def device(self) -> torch.device:
        """Where scores are computed; embeddings of text go there."""

    @property
    def pass_key(self) -> Hashable:
        """Segmenters with equal keys can be given to `encode_together`."""

    @property
    def cache_group(self) -> tuple[Hashable, ...]:
        """A key to sort segmenters of one pass by: neighbours share most work."""

    @property
    def text_key(self) -> tuple[str | bool | int | None, ...] | None:
        """What `embed` depends on besides words and templates, as plain data.

        None where keeping the embeddings is not worth it, for example for random weights.
        """

    def features_bytes(self, size: tuple[int, int], windows: Tiling | None) -> int:
        """About the memory that one encoded image takes, for an input of (height, width).

        Loads nothing.
        """

    def check(self, ids: Sequence[str]) -> None:
        """Raise ValueError or OSError for what would fail later on the samples ``ids``.

        For example more blocks than the tower has, or files that are missing. Loads nothing.
        """

    def prepare(self, image: Image.Image, *, resize: Resize, sample_id: str = "") -> Tensor:
        """The input of one image, of any shape; images of one shape are stacked to a batch."""

    def embed(self, vocabulary: Vocabulary, prompts: Prompts) -> Float[Tensor, "w e"]:
        """One embedding per word; e is 0 for a segmenter that reads no text.

        Of unit length where cosines are taken of it, and wherever there is a `text_key`.
        """

    def encode_together(
        self, segmenters: Sequence[Segmenter], images: Tensor, *, windows: Tiling | None
    ) -> Sequence[Sequence[EncodedImage]]:
        """For each segmenter the encodings of each of b prepared images, from one pass.

        ``segmenters`` have the same `pass_key` as this one; what each gets is what it would get
        alone.
        """

    def sharing(self, models: dict[object, Any]) -> Segmenter:
        """The same segmenter with the models that are held, where they equal its own.

        Its other models are put there: of equal models of many segmenters one is loaded.
        """

    @property
    def models(self) -> tuple[object, ...]:
        """What takes memory once it is used; equal models of several segmenters are one."""

    def unload(self, keep: Collection[object] = ()) -> None:
        """Free the memory of the models but those to ``keep``; what is needed is loaded again."""
