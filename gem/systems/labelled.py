"""Masks without words, labelled by the maps of a method: what GEM-SAM makes of an image.

Shapes: y x pixels of the prepared image, u v rows and columns of a map, w words, m masks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from gem.device import float32_products
from gem.features import PatchFeatures
from gem.image import upsample
from gem.systems.automatic import Masks
from gem.vocabulary import Queries

Rule = Literal["mean", "max"]
Order = Literal["small", "large", "quality"]
PART = 32  # masks that are numbers, and not bits, at once


@dataclass(eq=False)
class Segments:
    """The masks of an image, made when they are first asked for; ``image`` is what SAM sees."""

    image: UInt8[Tensor, "3 y x"]
    make: Callable[[UInt8[Tensor, "3 y x"]], Masks]

    @cached_property
    def masks(self) -> Masks:
        """All of them, packed."""
        return self.make(self.image)


@dataclass(frozen=True)
class LabelledMasks:
    """A `gem.segmenter.EncodedImage`: maps of a method, made equal inside of masks."""

    features: PatchFeatures
    segments: Segments
    rule: Rule
    order: Order

    @property
    def labels(self) -> None:
        """None: labels are decided from the scores."""
        return

    @property
    def pixels(self) -> Float[Tensor, "3 y x"]:
        """Those of the features."""
        return self.features.pixels

    def nothing(self, queries: Queries) -> None:
        """None: the background is decided by the protocol, as for the method alone."""

    @torch.inference_mode()
    def scores(self, queries: Queries) -> Float[Tensor, "w y x"]:
        """At each pixel that of the mask which it belongs to, by the rule; else the method's own.

        If there is no mask at all these are the method's maps, of their own resolution.
        """
        masks, maps = self.segments.masks, self.features.scores(queries)
        if not len(masks):
            return maps
        if maps.shape[1:] != masks.size:
            maps = upsample(maps, masks.size)
        owner = owners(masks, self.order).to(maps.device)
        values = inside(maps, masks, self.rule)
        return torch.where(owner < 0, maps, values[:, owner.clamp_min(0)])


def owners(masks: Masks, order: Order) -> Int64[Tensor, "y x"]:
    """The mask that each pixel belongs to, -1 for none.

    Where masks overlap it is the smallest, the largest, or the one whose predicted IoU is highest;
    of equal ones the better.
    """
    if order == "quality":
        places = list(range(len(masks)))
    else:
        areas = [int(masks.unpacked(slice(one, one + 1)).sum()) for one in range(len(masks))]
        places = sorted(range(len(masks)), key=areas.__getitem__, reverse=order == "large")
    found = torch.full(masks.size, -1)
    for place in reversed(places):  # the winner comes last
        found[masks.unpacked(slice(place, place + 1))[0]] = place
    return found


def inside(maps: Float[Tensor, "w y x"], masks: Masks, rule: Rule) -> Float[Tensor, "w m"]:
    """The mean, or the largest value, of each map inside of each mask, which are not empty."""
    found, flat = [], maps.flatten(1)
    for start in range(0, len(masks), PART):
        part = masks.unpacked(slice(start, start + PART)).to(maps.device).flatten(1)
        if rule == "mean":
            with float32_products(tf32=False):
                found.append(flat @ part.to(flat.dtype).T / part.sum(dim=1))
        else:
            found += [flat[:, one].amax(dim=1, keepdim=True) for one in part]
    return torch.cat(found, dim=1)
