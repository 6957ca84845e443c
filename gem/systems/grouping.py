"""GroupViT's groups of an image's windows, and the scores that its authors make of them.

Shapes: b images, n windows, y x pixels, g groups, u v rows and columns of patches, e embedding,
w words, c classes, k maps.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from einops import einsum, rearrange
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from gem.device import float32_products
from gem.image import upsample
from gem.systems.overlap import Overlap
from gem.systems.single import windows_of
from gem.vocabulary import Queries
from gem.windows import Tiles

LARGEST_SCALE = 100.0
FITTING = 5  # classes that a window may show


@dataclass(frozen=True)
class GroupedImage:
    """A `gem.segmenter.EncodedImage`: the groups of each window.

    groups, whole: unit-length embeddings of the groups, and of all a window. shares: how much of
    each patch belongs to each group. scale: what cosines are multiplied by. background: the option
    of `gem.systems.GroupVit`. ``tiles`` says where the windows lie in ``pixels``.
    """

    groups: Float[Tensor, "n g e"]
    whole: Float[Tensor, "n e"]
    shares: Float[Tensor, "n g u v"]
    scale: Float[Tensor, ""]
    tiles: Tiles
    pixels: Float[Tensor, "3 y x"]
    background: float | None = None

    @property
    def labels(self) -> None:
        """None: labels are decided from the scores."""
        return

    @torch.inference_mode()
    def scores(self, queries: Queries) -> Float[Tensor, "w y x"]:
        """In [0, 1], at every pixel of the input; cosines for one class without background."""
        return self._at_pixels(self._rows(queries))

    @torch.inference_mode()
    def nothing(self, queries: Queries) -> Float[Tensor, "y x"] | None:
        """The share of a pixel's windows that call it background; None without ``background``."""
        if self.background is None:
            return None
        rows = self._rows(queries)
        limits = rows.amax(dim=(1, 2)).clamp_max(self.background)
        below = rows.amax(dim=2) < limits[:, None]
        return self._at_pixels(below.to(rows.dtype)[:, :, None])[0]

    def _rows(self, queries: Queries) -> Float[Tensor, "n g w"]:
        """The scores of each group."""
        with float32_products(tf32=False):
            cosines = einsum(self.groups, queries.text, "n g e, w e -> n g w")
            whole = self.scale * einsum(self.whole, queries.text, "n e, w e -> n w")
        if queries.classes == 1 and self.background is None:
            return cosines
        logits = self.scale * cosines
        others = ~fitting(whole, queries)[:, None]
        return logits.masked_fill(others, -torch.inf).softmax(dim=2) * logits.softmax(dim=2)

    def _at_pixels(self, rows: Float[Tensor, "n g k"]) -> Float[Tensor, "k y x"]:
        """Every pixel takes the row of its group; the mean where windows overlap."""
        height, width = self.pixels.shape[1:]
        found = Overlap(rows.shape[2], (height, width), self.tiles, rows)
        for corner, row, share in zip(self.tiles.corners, rows, self.shares, strict=True):
            owner = owners(share, self.tiles.seen)
            some = row.any(dim=0).nonzero()[:, 0]  # most classes have 0 in the whole window
            found.add(corner, row.T[some][:, owner], some)
        return found.mean


def owners(share: Float[Tensor, "g u v"], size: tuple[int, int]) -> Int64[Tensor, "y x"]:
    """The group that takes most of each pixel of a window of (height, width)."""
    return upsample(share, size).argmax(dim=0)


def fitting(whole: Float[Tensor, "n w"], queries: Queries) -> Bool[Tensor, "n w"]:
    """The words of the classes that fit each window best; a class fits as its best word does."""
    owner = queries.class_index.expand(len(whole), -1)
    lowest = whole.new_full((len(whole), queries.classes), -torch.inf)
    by_class = lowest.scatter_reduce(1, owner, whole, "amax")
    best = by_class.topk(min(FITTING, queries.classes), dim=1).indices
    return (
        torch.zeros_like(by_class, dtype=torch.bool).scatter(1, best, value=True).gather(1, owner)
    )


@torch.inference_mode()
def group(
    module: Any, inputs: Float[Tensor, "b 3 y x"], images: Float[Tensor, "b 3 y x"], tiles: Tiles
) -> list[GroupedImage]:
    """Pass the windows of ``images`` through a ``GroupViTModel``; ``inputs`` are where it is."""
    seen = [_window(module, one) for one in windows_of(inputs, tiles)]
    stacked = [torch.stack(part, dim=1) for part in zip(*seen, strict=True)]
    scale = module.logit_scale.float().exp().clamp_max(LARGEST_SCALE)
    return [
        GroupedImage(groups, whole, shares, scale, tiles, image)
        for groups, whole, shares, image in zip(*stacked, images, strict=True)
    ]


def _window(
    module: Any, images: Float[Tensor, "b 3 y x"]
) -> tuple[Float[Tensor, "b g e"], Float[Tensor, "b e"], Float[Tensor, "b g u v"]]:
    """Groups of one window of each image, the whole of it, and the groups' shares of its patches.

    As ``GroupViTVisionTransformer.forward``, which knows no other size than the trained one.
    """
    vision = module.vision_model
    tokens = vision.embeddings(images, interpolate_pos_encoding=True)
    found = vision.encoder(tokens, output_attentions=True, return_dict=True)
    resid = vision.layernorm(found.last_hidden_state)
    flat = module.visual_projection(rearrange(resid, "b g c -> (b g) c")).float()
    groups = rearrange(flat, "(b g) e -> b g e", b=len(images))
    whole = module.visual_projection(resid.mean(dim=1)).float()
    stages = [one.float() for one in found.attentions]  # groups take from those of the stage before
    shares = reduce(lambda before, stage: stage @ before, stages)
    side = module.config.vision_config.patch_size
    rows = images.shape[2] // side
    grid = rearrange(shares, "b g (u v) -> b g u v", u=rows)
    return _unit(groups), _unit(whole), grid


def _unit(vectors: Float[Tensor, "*b e"]) -> Float[Tensor, "*b e"]:
    """Of length 1; one of length 0 becomes nan, never a silent 0."""
    unit: Tensor = vectors / vectors.norm(dim=-1, keepdim=True)
    return unit
