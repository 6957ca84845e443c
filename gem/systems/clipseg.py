"""CLIPSeg (Lüddecke & Ecker, CVPR 2022): one map a prompt.

Shapes: b images, y x pixels, w words, t templates, e embedding.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from gem.hub.model import HubModel
from gem.options import Factor, Fraction, options
from gem.systems.single import SingleModel
from gem.vocabulary import Prompts, Vocabulary

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.systems.prompted import PromptedImage
    from gem.windows import Tiles, Tiling

B16 = {"vision_config": {"patch_size": 16}}


@options
class ClipSegModel(HubModel):
    """``CLIPSegForImageSegmentation`` of `transformers`."""

    architecture: ClassVar[str] = "CLIPSegForImageSegmentation"
    kinds: ClassVar[dict[str, str]] = {"clipseg": "CLIPSegConfig"}
    sizes: ClassVar[dict[str, dict[str, Any]]] = {
        "CIDAS/clipseg-rd64-refined": {**B16, "use_complex_transposed_convolution": True},
        "CIDAS/clipseg-rd64": B16,
        "CIDAS/clipseg-rd16": {**B16, "reduce_dim": 16},
    }
    device_key: ClassVar[str] = "place"


@options
class ClipSeg(SingleModel):
    """A decoder that is conditioned on a prompt says for each pixel whether it shows it.

    The image passes CLIP's tower once, the decoder once for each word. Scores are the sigmoids of
    the decoder's logits, and the best word of a pixel wins.

    threshold: a pixel shows nothing where no score is above it. null: the protocol decides. None is
        published for many classes at once; .5, the sigmoid's middle, is ours.
    background_factor: what the scores of words for the background are multiplied by. In the
        authors' evaluation on VOC there is no threshold, but the word "background", whose score
        counts 3 times (``vocabulary=clearclip segmenter.threshold=null
        segmenter.background_factor=3``).
    """

    model: str = "CIDAS/clipseg-rd64-refined"
    threshold: Fraction | None = None
    background_factor: Factor = 1.0

    hub: ClassVar[type[HubModel]] = ClipSegModel
    usual: ClassVar[dict[str, tuple[float | None, ...]]] = {
        "threshold": (None, 0.5),
        "background_factor": (1.0,),
    }
    title: ClassVar[str] = "CLIPSeg"
    published: ClassVar[str] = "2021-12"
    text_key: ClassVar[None] = None  # its embeddings are not of length 1, as kept ones are

    @property
    def decides(self) -> bool:
        """Whether a threshold says what is background."""
        return self.threshold is not None

    @property
    def patch(self) -> int:
        """Pixels of a patch; reads the model's config."""
        return int(self.network.config.vision_config.patch_size)

    def features_bytes(self, size: tuple[int, int], windows: Tiling | None) -> int:
        """Four bytes a number of the tokens that the decoder reads; the model's config is read."""
        from gem.windows import tiles_of

        config, tiles = self.network.config, tiles_of(size, windows, self.patch)
        rows, columns = (side // self.patch for side in tiles.seen)
        tokens = len(config.extract_layers) * (rows * columns + 1)
        return 4 * len(tiles.corners) * tokens * int(config.reduce_dim)

    def embed(self, vocabulary: Vocabulary, prompts: Prompts) -> Float[Tensor, "w e"]:
        """What the decoder is conditioned on: CLIP's embeddings, not normalised.

        The mean over the templates. Raises ValueError for a prompt that is too long.
        """
        from einops import reduce

        from gem.systems.clip_words import in_chunks

        clip, forms = self.network.module.clip, prompts.templates
        filled = [form.format(word) for _, word in vocabulary.class_words for form in forms]
        found = in_chunks(
            filled,
            self.network.config.text_config.max_position_embeddings,
            self.device,
            lambda ids: clip.get_text_features(ids).pooler_output,
        )
        return reduce(found, "(w t) e -> w e", "mean", t=len(forms))

    def look(
        self, inputs: Float[Tensor, "b 3 y x"], images: Float[Tensor, "b 3 y x"], tiles: Tiles
    ) -> list[PromptedImage]:
        """The tokens of every window that the decoder reads."""
        from gem.systems.prompted import look

        return look(self.network.module, inputs, images, tiles)

    def read(self, seen: PromptedImage) -> PromptedImage:
        """The same tokens, with this segmenter's threshold and factor."""
        return replace(
            seen,
            threshold=self.threshold,
            background_factor=self.background_factor,
            tf32=self.precision == "tf32",
        )
