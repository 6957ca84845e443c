"""A backbone and a method together: patches of images, matched with words.

Shapes: b images, n windows, y x pixels, u v rows and columns of a map, e embedding, w words.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from pydantic import SkipValidation

from gem.backbones.backbone import Backbone
from gem.methods.method import Method, blocks_read
from gem.options import HALF, changed, options
from gem.vocabulary import Prompts, Vocabulary, embed_words

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from PIL import Image
    from torch import Tensor

    from gem.features import PatchFeatures
    from gem.provenance import Provenance
    from gem.resize import Resize
    from gem.segmenter import EncodedImage, Segmenter
    from gem.tower import Companion
    from gem.windows import Tiling


@options
class Patches:
    """A `gem.Segmenter`: the score of a word is its cosine with the features of the patches.

    backbone: gives the trace of images, and embeddings of text.
    method: makes features of the trace, in the space of the text.
    """

    backbone: SkipValidation[Backbone]  # interfaces: to check one would read its properties
    method: SkipValidation[Method]

    @property
    def title(self) -> str:
        """That of the method."""
        return self.method.title

    @property
    def published(self) -> str:
        """When the method was."""
        return self.method.published

    @property
    def variant(self) -> str:
        """The options of the method that are not its defaults."""
        return changed(self.method)

    @property
    def provenance(self) -> Provenance:
        """That of the backbone, with that of the method's companion if it reads one."""
        companion = self.method.companion
        own = self.backbone.provenance
        return replace(own, companion=companion.provenance) if companion else own

    @property
    def decides(self) -> bool:
        """No: the evaluation's protocol does, from the cosines."""
        return False

    @property
    def device(self) -> torch.device:
        """Where the backbone is."""
        return self.backbone.torch_device

    @property
    def pass_key(self) -> Hashable:
        """All methods of one backbone share a pass, whatever is made of their features."""
        return (Patches.__qualname__, self.backbone)

    @property
    def cache_group(self) -> tuple[Hashable, ...]:
        """That of the method."""
        return self.method.cache_group

    @property
    def text_key(self) -> tuple[str | bool | int | None, ...] | None:
        """That of the backbone: no method changes the text."""
        return self.backbone.text_key

    def features_bytes(self, size: tuple[int, int], windows: Tiling | None) -> int:
        """Four bytes a number of the patch features of all windows; the model's config is read.

        A method with a companion has features of the companion's patches.
        """
        from gem.windows import tiles_of

        shape = self.backbone.shape
        tiles = tiles_of(size, windows, shape.patch_size)
        rows, columns = (side // shape.patch_size for side in tiles.seen)
        if companion := self.method.companion:
            rows, columns = companion.shape.grid(tiles.seen)
        return 4 * shape.embedding * len(tiles.corners) * rows * columns

    def check(self, ids: Sequence[str]) -> None:  # noqa: ARG002
        """Raise ValueError if a tower has fewer blocks than the method reads, or no class token.

        That of the backbone, or of the companion, if the method reads one. And for a number among
        the method's options that fp16 cannot hold, if the backbone computes in it. The models'
        configs are read; what they raise is raised. The weights are not looked for.
        """
        blocks_read(self.method, self.backbone.shape)
        if companion := self.method.companion:
            self.method.reads_beside(companion.shape.num_blocks)
        if getattr(self.backbone, "precision", "") == "fp16":
            _check_half(self.method)

    def prepare(
        self,
        image: Image.Image,
        *,
        resize: Resize,
        sample_id: str = "",  # noqa: ARG002
    ) -> Float[Tensor, "3 y x"]:
        """Resized by the rule, normalised as the model was trained."""
        from gem.image import to_input

        size = resize.fit(image.height, image.width, self.backbone.shape.patch_size)
        mean, std = self.backbone.mean, self.backbone.std
        return to_input(image, size, mean=mean, std=std, resampling=resize.filter)

    def embed(self, vocabulary: Vocabulary, prompts: Prompts) -> Float[Tensor, "w e"]:
        """The mean over the templates. Raises ValueError for a prompt that is too long."""
        return embed_words(vocabulary, prompts, self.backbone.embed)

    def encode(
        self, images: Float[Tensor, "b 3 y x"], *, windows: Tiling | None = None
    ) -> list[PatchFeatures]:
        """Pass prepared images of one size through backbone and method; b windows at a time.

        Raises ValueError if the method reads more blocks than the tower has.
        """
        (features,) = self._features([self.method], images, windows)
        return features

    def encode_together(
        self,
        segmenters: Sequence[Segmenter],
        images: Float[Tensor, "b 3 y x"],
        *,
        windows: Tiling | None,
    ) -> list[Sequence[EncodedImage]]:
        """What several segmenters make of the features of their methods, from one trace.

        Raises ValueError if one is of another backbone, or reads more blocks than the tower has.
        """
        if any(one.pass_key != self.pass_key for one in segmenters):
            raise ValueError("segmenters that encode together need the same backbone")
        alike = [one for one in segmenters if isinstance(one, Patches)]
        beside: dict[Hashable, Any] = {}
        found = self._features([one.method for one in alike], images, windows)
        return [one.finish(features, beside) for one, features in zip(alike, found, strict=True)]

    def finish(
        self,
        features: Sequence[PatchFeatures],
        beside: dict[Hashable, Any],  # noqa: ARG002
    ) -> Sequence[EncodedImage]:
        """What this segmenter makes of the features that its method has of each image: these.

        A subclass makes something else of them. ``beside`` is what segmenters of one pass share of
        the same images, under keys of their own; filled.
        """
        return features

    def _features(
        self, methods: Sequence[Method], images: Float[Tensor, "b 3 y x"], windows: Tiling | None
    ) -> list[list[PatchFeatures]]:
        from gem.device import float32_products
        from gem.features import encode
        from gem.windows import tiles_of

        size = (images.shape[2], images.shape[3])
        tiles = tiles_of(size, windows, self.backbone.shape.patch_size)
        with float32_products(tf32=getattr(self.backbone, "precision", "") == "tf32"):
            found = encode(self.backbone, methods, images, tiles)
        return [found[method] for method in methods]

    def sharing(self, models: dict[object, Any]) -> Patches:
        """The same method on the backbone and beside the companion that are held, if equal."""
        method = self.method
        if companion := method.companion:
            held = models.setdefault(companion, companion)
            method = replace(method, companion=held)  # type: ignore[type-var] # all are options
        return replace(
            self, backbone=models.setdefault(self.backbone, self.backbone), method=method
        )

    @property
    def models(self) -> tuple[Backbone | Companion, ...]:
        """The backbone, and the companion of the method if it has one."""
        companion = self.method.companion
        return (self.backbone, companion) if companion else (self.backbone,)

    def unload(self, keep: Collection[object] = ()) -> None:
        """Free the memory of the towers but those to ``keep``."""
        for model in self.models:
            if model not in keep:
                model.unload()


def _check_half(method: Method) -> None:
    """Raise ValueError for an option that is 0 or infinite once it is a number of fp16."""
    low, high = HALF
    for name, value in ((one.name, getattr(method, one.name)) for one in fields(method)):  # type: ignore[arg-type]
        if isinstance(value, float) and value and not low <= abs(value) <= high:
            key = "gem" if type(method).__name__ == "Gem" else "method"
            raise ValueError(
                f"{key}.{name}={value:g}: backbone.precision=fp16 computes with numbers from "
                f"{low:g} to {high:g}"
            )
