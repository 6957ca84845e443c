"""GroupViT (Xu et al., CVPR 2022) as its authors evaluate it.

Shapes: b images, y x pixels, w words, e embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from gem.hub.model import HubModel
from gem.options import Fraction, options
from gem.systems.single import SingleModel
from gem.vocabulary import Prompts, Vocabulary, embed_words

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.systems.grouping import GroupedImage
    from gem.windows import Tiles, Tiling


@options
class GroupVitModel(HubModel):
    """``GroupViTModel`` of `transformers`."""

    architecture: ClassVar[str] = "GroupViTModel"
    kinds: ClassVar[dict[str, str]] = {"groupvit": "GroupViTConfig"}
    sizes: ClassVar[dict[str, dict[str, Any]]] = {"nvidia/groupvit-gcc-yfcc": {}}
    device_key: ClassVar[str] = "place"


@options
class GroupVit(SingleModel):
    """Patches gather in 8 groups, each of which is compared with the words (their code's rule).

    In each window a pixel belongs to the group that takes most of it. A group's scores are its
    softmax over all words, times the softmax over the words of the 5 classes that fit the whole
    window best; the other classes have 0. Where windows overlap the mean counts. The rule is of
    classes. If a class has several words they all take part in the softmax, the class fits a window
    as its best word does, and the best word of a pixel wins.

    With one class alone, which the points of an image may ask for, nothing competes and the rule
    says 1 everywhere. Without ``background`` the score is then the cosine of group and word (ours).

    background: a pixel of a window shows nothing where all its scores are below this, or below the
        highest of the window if that is less; how many of its windows say so is compared with the
        mean scores. .95 for VOC and COCO-Object, .35 for Context in their code (the paper has
        others). null where the data set has no background: the best class counts.
    """

    model: str = "nvidia/groupvit-gcc-yfcc"
    background: Fraction | None = None

    hub: ClassVar[type[HubModel]] = GroupVitModel
    usual: ClassVar[dict[str, tuple[float | None, ...]]] = {"background": (None, 0.95, 0.35)}
    title: ClassVar[str] = "GroupViT"
    published: ClassVar[str] = "2022-02"

    @property
    def decides(self) -> bool:
        """Whether it says itself what is background."""
        return self.background is not None

    @property
    def patch(self) -> int:
        """Pixels of a patch; reads the model's config."""
        return int(self.network.config.vision_config.patch_size)

    @property
    def text_key(self) -> tuple[str | None, ...] | None:
        """Model and weights by their hashes, precision, kind of device; None for random ones."""
        found = self.provenance
        if found.random:
            return None
        kind = (self.precision, self.device.type)
        return (self.hub.architecture, self.model, *kind, found.sha256, found.config)

    def features_bytes(self, size: tuple[int, int], windows: Tiling | None) -> int:
        """Four bytes a number: of every group an embedding, and its share of every patch."""
        from gem.windows import tiles_of

        config, tiles = self.network.config, tiles_of(size, windows, self.patch)
        rows, columns = (side // self.patch for side in tiles.seen)
        groups = int(config.vision_config.num_output_groups[-1])
        numbers = rows * columns + int(config.projection_dim)
        return 4 * len(tiles.corners) * groups * numbers

    def check_config(self, config: Any) -> None:
        """Raise ValueError also for one without groups."""
        super().check_config(config)
        if not any(config.vision_config.num_group_tokens):
            raise ValueError(f"segmenter.model={self.model}: no stage has num_group_tokens")

    def embed(self, vocabulary: Vocabulary, prompts: Prompts) -> Float[Tensor, "w e"]:
        """The mean over the templates. Raises ValueError for a prompt that is too long."""
        return embed_words(vocabulary, prompts, self._directions)

    def look(
        self, inputs: Float[Tensor, "b 3 y x"], images: Float[Tensor, "b 3 y x"], tiles: Tiles
    ) -> list[GroupedImage]:
        """Groups of every window."""
        from gem.systems.grouping import group

        return group(self.network.module, inputs, images, tiles)

    def read(self, seen: GroupedImage) -> GroupedImage:
        """The same groups, with this segmenter's background."""
        from dataclasses import replace

        return replace(seen, background=self.background)

    def _directions(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        from torch.nn.functional import normalize

        from gem.systems.clip_words import in_chunks

        module, length = self.network.module, self.network.config.text_config
        found = in_chunks(
            prompts,
            length.max_position_embeddings,
            self.device,
            lambda ids: module.get_text_features(ids).pooler_output,
        )
        return normalize(found, dim=-1)
