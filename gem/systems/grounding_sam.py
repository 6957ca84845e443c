"""Grounding-SAM: boxes of words by Grounding DINO, their masks by SAM.

Shapes: b images, y x pixels, w words.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from gem.options import Fraction, options
from gem.provenance import Provenance, with_another
from gem.systems.grounding_dino import GroundingDino
from gem.systems.sam import Sam

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float, UInt8
    from PIL import Image
    from torch import Tensor

    from gem.resize import Resize
    from gem.segmenter import Segmenter
    from gem.systems.grounded import GroundedImage
    from gem.vocabulary import Prompts, Vocabulary
    from gem.windows import Tiling

EMBEDDED = 2**23  # bytes of what SAM made of an image, about


@options
class GroundingSam:
    """A `gem.Segmenter`: Grounded SAM (Ren et al., 2024), GroundingSAM in GEM's Table 3.

    The words, without templates and in small letters, are one prompt, ``cat. dog.``; as many as do
    not fit are asked in further prompts, and the boxes of all prompts count. The score of a word
    for a box is the highest probability of its tokens. A box belongs to its best word, and SAM
    makes one mask of it. A word's map is the highest score of its boxes whose masks cover the
    pixel, so that where masks overlap the higher score wins. What no mask covers shows none of the
    words.

    The sizes that both models see are their own: neither the size nor the windows, the background
    or the prompts of the evaluation's protocol count. An image is asked for alone, whatever the
    batch, and models are only run when scores are asked for.

    box_threshold, text_threshold: what the score of a box's best word must exceed. The library
        `transformers` compares the first with the box's best token, which may be none of a word,
        and the second with the tokens of a phrase; of words these are the same number, and both
        must be exceeded. GEM's paper states neither; 0.25 is the library's default.
    """

    detector: GroundingDino
    sam: Sam
    box_threshold: Fraction = 0.25
    text_threshold: Fraction = 0.25

    title: ClassVar[str] = "Grounding-SAM"
    published: ClassVar[str] = "2024-01"
    decides: ClassVar[bool] = True
    text_key: ClassVar[None] = None  # there are no embeddings
    cache_group: ClassVar[tuple[Hashable, ...]] = ()

    @property
    def variant(self) -> str:
        """Thresholds and models that are not the defaults."""
        given = {name: getattr(self, name) for name in ("box_threshold", "text_threshold")}
        usual = {"box_threshold": 0.25, "text_threshold": 0.25}
        said = [f"{name}={value:g}" for name, value in given.items() if value != usual[name]]
        models = {"detector": (self.detector, GroundingDino()), "sam": (self.sam, Sam())}
        said += [
            f"{name}={Path(own.model).name}"
            for name, (own, default) in models.items()
            if own.model != default.model
        ]
        return " ".join(said)

    @property
    def provenance(self) -> Provenance:
        """That of the detector, with SAM as a second model."""
        return with_another(self.detector.provenance, self.sam.provenance)

    @property
    def device(self) -> torch.device:
        """Where the detector is."""
        return self.detector.torch_device

    @property
    def pass_key(self) -> Hashable:
        """Settings with other thresholds share the boxes and what SAM has seen."""
        return (type(self).__qualname__, self.detector, self.sam)

    def features_bytes(self, size: tuple[int, int], windows: Tiling | None) -> int:  # noqa: ARG002
        """The image itself, and what SAM makes of it."""
        return 3 * size[0] * size[1] + EMBEDDED

    def check(self, ids: Sequence[str]) -> None:  # noqa: ARG002
        """Read the configs of both models and the tokenizer, and raise what is wrong with them."""
        _ = self.detector.config, self.sam.config, self.detector.tokenizer

    def prepare(
        self,
        image: Image.Image,
        *,
        resize: Resize,  # noqa: ARG002
        sample_id: str = "",  # noqa: ARG002
    ) -> UInt8[Tensor, "3 y x"]:
        """The image as it is, 8 bits."""
        from gem.systems.imagenet import as_tensor

        return as_tensor(image)

    def embed(self, vocabulary: Vocabulary, prompts: Prompts) -> Float[Tensor, "w 0"]:  # noqa: ARG002
        """Nothing: the words themselves are read, beside each image."""
        import torch

        return torch.zeros(len(vocabulary.class_words), 0, device=self.device)

    def encode_together(
        self,
        segmenters: Sequence[Segmenter],
        images: UInt8[Tensor, "b 3 y x"],
        *,
        windows: Tiling | None,  # noqa: ARG002
    ) -> list[list[GroundedImage]]:
        """The images, about which both models are asked when scores are."""
        from gem.systems.grounded import AskedImage, GroundedImage

        asked = [AskedImage(one, self.detector, self.sam) for one in images.to(self.device)]
        return [
            [GroundedImage(image, one.box_threshold, one.text_threshold) for image in asked]
            for one in segmenters
            if isinstance(one, GroundingSam)
        ]

    def sharing(self, models: dict[object, Any]) -> GroundingSam:
        """The same thresholds with the models that are held, if equal."""
        return replace(
            self,
            detector=models.setdefault(self.detector, self.detector),
            sam=models.setdefault(self.sam, self.sam),
        )

    @property
    def models(self) -> tuple[GroundingDino, Sam]:
        """Both."""
        return self.detector, self.sam

    def unload(self, keep: Collection[object] = ()) -> None:
        """Free the memory of the models but those to ``keep``."""
        for model in self.models:
            if model not in keep:
                model.unload()
