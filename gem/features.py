"""Features of patches: made by methods from one trace a window, compared with text.

Shapes: b images, n windows, y x pixels, u v rows and columns of a map, e embedding, w words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor

from gem.backbones.backbone import Backbone
from gem.beside import traces_beside
from gem.image import upsample
from gem.methods.method import Method
from gem.vocabulary import Queries


@dataclass(frozen=True)
class PatchFeatures:
    """A `gem.segmenter.EncodedImage`: unit-length patch features of an image's windows.

    ``corners`` are the windows' top left pixels in an input of ``size``; a whole image is one
    window.
    """

    features: Float[Tensor, "n u v e"]
    corners: tuple[tuple[int, int], ...]
    size: tuple[int, int]

    @property
    def labels(self) -> None:
        """None: labels are decided from the scores."""
        return

    @torch.inference_mode()
    def scores(self, queries: Queries) -> Float[Tensor, "w u v"]:
        """Cosine, in [-1, 1], with the embedding of every word.

        One value per patch if there is one window. Else one per pixel of the input: each window's
        map is upsampled to it, and the mean is taken where windows overlap.
        """
        maps = einsum(self.features, queries.text, "n u v e, w e -> n w u v")
        if len(self.corners) == 1:
            return maps[0]
        total = maps.new_zeros(len(queries.text), *self.size)
        count = maps.new_zeros(self.size)
        height = self.size[0] - max(top for top, _ in self.corners)
        width = self.size[1] - max(left for _, left in self.corners)
        for (top, left), one in zip(self.corners, maps, strict=True):
            place = (slice(top, top + height), slice(left, left + width))
            total[:, *place] += upsample(one, (height, width))
            count[place] += 1
        return total / count


@torch.inference_mode()
def encode(
    backbone: Backbone,
    methods: Sequence[Method],
    images: Float[Tensor, "b 3 y x"],
    *,
    corners: tuple[tuple[int, int], ...],
    shape: tuple[int, int],
) -> dict[Method, list[PatchFeatures]]:
    """The features of each image by each method, from windows of one ``shape`` at ``corners``.

    Methods that share work take turns; equal ones are computed once.
    """
    by_window = [
        _window(backbone, methods, images[:, :, top : top + shape[0], left : left + shape[1]])
        for top, left in corners
    ]
    size = (images.shape[2], images.shape[3])
    found: dict[Method, list[PatchFeatures]] = {}
    for method in by_window[0]:
        whole = rearrange([one[method] for one in by_window], "n b u v e -> b n u v e")
        found[method] = [PatchFeatures(one, corners, size) for one in whole]
    return found


def _window(
    backbone: Backbone, methods: Sequence[Method], images: Float[Tensor, "b 3 y x"]
) -> dict[Method, Float[Tensor, "b u v e"]]:
    """Unit-length features of every method for one window of each image."""
    depth = backbone.shape.num_blocks
    trace = backbone.trace(images, keep=max(method.reads(depth) for method in methods))
    traces = traces_beside(trace, backbone, methods, images)
    found: dict[Method, Tensor] = {}
    for method in sorted(dict.fromkeys(methods), key=lambda one: one.cache_group):
        own = traces[method.companion]
        rows, columns = method.grid(own)
        flat = method(own).float()
        flat = flat / flat.norm(dim=-1, keepdim=True)  # of length 0: nan, never a silent 0
        found[method] = rearrange(flat, "b (u v) e -> b u v e", u=rows, v=columns)
    return found
