"""Features of patches: made by methods from one trace a window, compared with text.

Shapes: b images, n windows, y x pixels, u v rows and columns of a map, e embedding, w words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor

from gem.backbones.backbone import Backbone
from gem.beside import traces_beside
from gem.device import float32_products
from gem.image import upsample
from gem.methods.method import Method, blocks_read
from gem.vocabulary import Queries
from gem.windows import Tiles


@dataclass(frozen=True)
class PatchFeatures:
    """A `gem.segmenter.EncodedImage`: unit-length patch features of an image's windows.

    ``tiles`` says where the windows lie in the prepared image ``pixels``.
    """

    features: Float[Tensor, "n u v e"]
    tiles: Tiles
    pixels: Float[Tensor, "3 y x"]

    @property
    def labels(self) -> None:
        """None: labels are decided from the scores."""
        return

    def nothing(self, queries: Queries) -> None:
        """None: the background is decided by the protocol."""

    @torch.inference_mode()
    def scores(self, queries: Queries) -> Float[Tensor, "w u v"]:
        """Cosine, in [-1, 1], with the embedding of every word.

        One value per patch if the whole image is seen at once, without padding. Else one per pixel
        of the input: each window's map is upsampled to it, what was padded is cut off, and the mean
        is taken where windows overlap.
        """
        with float32_products(tf32=False):
            maps = einsum(self.features, queries.text, "n u v e, w e -> n w u v")
        if not self.tiles.upsampled:
            return maps[0]
        size, (rows, columns) = self.pixels.shape[1:], self.tiles.inside
        total, count = maps.new_zeros(len(queries.text), *size), maps.new_zeros(size)
        height, width = self.tiles.shape
        for (top, left), one in zip(self.tiles.corners, maps, strict=True):
            place = (slice(top, top + height), slice(left, left + width))
            total[:, *place] += upsample(one, self.tiles.seen, rows)[:, :, columns]
            count[place] += 1
        return total / count


@torch.inference_mode()
def encode(
    backbone: Backbone, methods: Sequence[Method], images: Float[Tensor, "b 3 y x"], tiles: Tiles
) -> dict[Method, list[PatchFeatures]]:
    """The features of each image by each method, from the windows of ``tiles``.

    Methods that share work take turns; equal ones are computed once.
    """
    height, width = tiles.shape
    by_window = [
        _window(
            backbone,
            methods,
            F.pad(images[:, :, top : top + height, left : left + width], tiles.padding),
        )
        for top, left in tiles.corners
    ]
    found: dict[Method, list[PatchFeatures]] = {}
    for method in by_window[0]:
        whole = rearrange([one[method] for one in by_window], "n b u v e -> b n u v e")
        found[method] = [
            PatchFeatures(one, tiles, image) for one, image in zip(whole, images, strict=True)
        ]
    return found


def _window(
    backbone: Backbone, methods: Sequence[Method], images: Float[Tensor, "b 3 y x"]
) -> dict[Method, Float[Tensor, "b u v e"]]:
    """Unit-length features of every method for one window of each image."""
    shape = backbone.shape
    trace = backbone.trace(images, keep=max(blocks_read(method, shape) for method in methods))
    traces = traces_beside(trace, backbone, methods, images)
    found: dict[Method, Tensor] = {}
    for method in sorted(dict.fromkeys(methods), key=lambda one: one.cache_group):
        own = traces[method.companion]
        rows, columns = method.grid(own)
        flat = method(own).float()
        flat = flat / flat.norm(dim=-1, keepdim=True)  # of length 0: nan, never a silent 0
        found[method] = rearrange(flat, "b (u v) e -> b u v e", u=rows, v=columns)
    return found
