"""A stand-in for a model: a fixed random projection of patches. Its scores mean nothing.

For rehearsals and tests of everything but the model: it costs next to nothing, needs no weights,
and gives the same maps on every machine but for rounding.

Shapes: b images, y x pixels, n windows, u v rows and columns of a map, e embedding, w words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from gem.options import Pixels, PositiveInt, Seed, changed, options
from gem.provenance import Provenance

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from PIL import Image
    from torch import Tensor

    from gem.features import PatchFeatures
    from gem.resize import Resize
    from gem.segmenter import Segmenter
    from gem.vocabulary import Prompts, Vocabulary
    from gem.windows import Tiling

MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


@options
class StandIn:
    """Patches of ``patch`` pixels become ``width`` numbers, words a direction by their hash.

    place: the device; ``auto`` is the GPU if there is one.
    """

    patch: Pixels = 16
    width: PositiveInt = 64
    seed: Seed = 0
    place: str = "auto"

    title: ClassVar[str] = "stand-in"
    published: ClassVar[str] = ""
    decides: ClassVar[bool] = False
    text_key: ClassVar[None] = None  # no embeddings worth keeping
    models: ClassVar[tuple[object, ...]] = ()
    cache_group: ClassVar[tuple[Hashable, ...]] = ()

    @property
    def variant(self) -> str:
        """The options that are not the defaults."""
        return changed(self)

    @property
    def provenance(self) -> Provenance:
        """Random weights, as every record says."""
        return Provenance("stand-in", f"random, seed {self.seed}", sha256=None)

    @cached_property
    def device(self) -> torch.device:
        """Where the projection is computed."""
        from gem.device import pick_device

        return pick_device(self.place, "segmenter", "place")

    @property
    def pass_key(self) -> Hashable:
        """Only the same projection shares a pass."""
        return self

    def features_bytes(self, size: tuple[int, int], windows: Tiling | None) -> int:
        """Four bytes a number of the features of all windows."""
        from gem.windows import tiles_of

        tiles = tiles_of(size, windows, self.patch)
        rows, columns = (side // self.patch for side in tiles.seen)
        return 4 * self.width * len(tiles.corners) * rows * columns

    def check(self, ids: Sequence[str]) -> None:
        """Nothing can be missing."""

    def prepare(self, image: Image.Image, *, resize: Resize, sample_id: str = "") -> Tensor:  # noqa: ARG002
        """Resized by the rule, as for a model."""
        from gem.image import to_input

        size = resize.fit(image.height, image.width, self.patch)
        return to_input(image, size, mean=MEAN, std=STD, resampling=resize.filter)

    def embed(self, vocabulary: Vocabulary, prompts: Prompts) -> Float[Tensor, "w e"]:
        """Of each prompt the direction that its text draws; the mean over the templates."""
        from gem.vocabulary import embed_words

        return embed_words(vocabulary, prompts, self._directions)

    def encode_together(
        self,
        segmenters: Sequence[Segmenter],
        images: Float[Tensor, "b 3 y x"],
        *,
        windows: Tiling | None,
    ) -> list[list[PatchFeatures]]:
        """The projected patches of each window."""
        import torch
        import torch.nn.functional as F
        from einops import rearrange

        from gem.features import PatchFeatures
        from gem.windows import tiles_of

        tiles = tiles_of((images.shape[2], images.shape[3]), windows, self.patch)
        images = images.to(self.device)
        (height, width), found = tiles.shape, []
        for top, left in tiles.corners:
            window = F.pad(images[:, :, top : top + height, left : left + width], tiles.padding)
            maps = F.conv2d(window, self._filters, stride=self.patch)
            found.append(F.normalize(rearrange(maps, "b e u v -> b u v e"), dim=-1))
        features = torch.stack(found, dim=1)
        encoded = [
            PatchFeatures(one, tiles, image) for one, image in zip(features, images, strict=True)
        ]
        return [encoded for _ in segmenters]

    def sharing(self, models: dict[object, Any]) -> Segmenter:  # noqa: ARG002
        """There is no model."""
        return self

    def unload(self, keep: Collection[object] = ()) -> None:
        """There is no model."""

    @cached_property
    def _filters(self) -> Float[Tensor, "e 3 patch patch"]:
        import torch

        shape = (self.width, 3, self.patch, self.patch)
        return torch.randn(shape, generator=_seeded(str(self.seed))).to(self.device)

    def _directions(self, prompts: Sequence[str]) -> Float[Tensor, "p e"]:
        import torch

        seeds = [_seeded(f"{self.seed} {one}") for one in prompts]
        drawn = torch.stack([torch.randn(self.width, generator=seed) for seed in seeds])
        return torch.nn.functional.normalize(drawn, dim=1).to(self.device)


def _seeded(text: str) -> torch.Generator:
    import torch

    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1
    return torch.Generator().manual_seed(number)
