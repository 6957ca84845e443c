"""A backbone and a method together: prompts in, maps out.

Shapes: b images, m methods, n windows, y x pixels, u v rows and columns of a map, e embedding,
w prompts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gem.backbones import Backbone
from gem.image import min_max, to_input, upsample
from gem.methods import Gem, Method
from gem.resize import Resize, ShortSide
from gem.windows import Windows


@dataclass(frozen=True)
class View:
    """What the model saw of one image: unit-length patch features of its windows.

    ``corners`` are the windows' top left pixels in an input of ``size``; a whole image is one
    window.
    """

    features: Float[Tensor, "n u v e"]
    corners: tuple[tuple[int, int], ...]
    size: tuple[int, int]

    @torch.inference_mode()
    def cosines(self, text: Float[Tensor, "w e"]) -> Float[Tensor, "w u v"]:
        """Cosine, in [-1, 1], with every text embedding of unit length.

        One value per patch if there is one window. Else one per pixel of the input: each window's
        map is upsampled to it, and the mean is taken where windows overlap.
        """
        maps = einsum(self.features, text, "n u v e, w e -> n w u v")
        if len(self.corners) == 1:
            return maps[0]
        total = maps.new_zeros(len(text), *self.size)
        count = maps.new_zeros(self.size)
        height = self.size[0] - max(top for top, _ in self.corners)
        width = self.size[1] - max(left for _, left in self.corners)
        for (top, left), one in zip(self.corners, maps, strict=True):
            place = (slice(top, top + height), slice(left, left + width))
            total[:, *place] += upsample(one, (height, width))
            count[place] += 1
        return total / count


@dataclass(frozen=True)
class Segmenter:
    """Matches the patches of images with words, by the cosine of their embeddings."""

    backbone: Backbone
    method: Method = field(default_factory=Gem)
    resize: Resize = field(default_factory=ShortSide)
    windows: Windows | None = None

    def prepare(self, image: Image.Image) -> Float[Tensor, "3 y x"]:
        """The model's input: resized by the rule, normalised as the model was trained."""
        backbone = self.backbone
        size = self.resize.fit(image.height, image.width, backbone.patch)
        return to_input(image, size, mean=backbone.mean, std=backbone.std)

    @torch.inference_mode()
    def see(self, images: Float[Tensor, "b 3 y x"]) -> list[View]:
        """Pass prepared images of one size through backbone and method; b windows at a time.

        Raises ValueError if the method wants more blocks than the tower has.
        """
        (views,) = self.see_with([self.method], images)
        return views

    @torch.inference_mode()
    def see_with(
        self, methods: Sequence[Method], images: Float[Tensor, "b 3 y x"]
    ) -> list[list[View]]:
        """The views of several methods, from one pass of the backbone."""
        size = (images.shape[2], images.shape[3])
        corners, shape = self._places(size)
        crops = [
            images[:, :, top : top + shape[0], left : left + shape[1]] for top, left in corners
        ]
        windows = [self._features(methods, crop) for crop in crops]
        seen = (
            rearrange(list(one), "n b u v e -> b n u v e") for one in zip(*windows, strict=True)
        )
        return [[View(features=one, corners=corners, size=size) for one in views] for views in seen]

    def cosines(
        self, images: Float[Tensor, "b 3 y x"], text: Float[Tensor, "w e"]
    ) -> Float[Tensor, "b w u v"]:
        """`View.cosines` of each prepared image."""
        return torch.stack([view.cosines(text) for view in self.see(images)])

    def heatmaps(self, image: Image.Image, prompts: Sequence[str]) -> Float[Tensor, "w y x"]:
        """One map per prompt at the image's own size, each scaled to [0, 1].

        Raises ValueError if there are no prompts or one does not fit the text tower.
        """
        if not prompts:
            raise ValueError("no prompts: give at least one")
        text = self.backbone.embed(prompts)
        (view,) = self.see(self.prepare(image)[None])
        return min_max(upsample(view.cosines(text), (image.height, image.width)))

    def _features(
        self, methods: Sequence[Method], images: Float[Tensor, "b 3 y x"]
    ) -> list[Float[Tensor, "b u v e"]]:
        """Unit-length features of every method; those that share readouts take turns."""
        trace = self.backbone.trace(images, keep=max(method.reads for method in methods))
        rows, columns = trace.grid
        found: dict[int, Tensor] = {}
        for place in sorted(range(len(methods)), key=lambda one: getattr(methods[one], "kin", ())):
            flat = F.normalize(methods[place](trace).float(), dim=-1)
            found[place] = rearrange(flat, "b (u v) e -> b u v e", u=rows, v=columns)
        return [found[place] for place in range(len(methods))]

    def _places(self, size: tuple[int, int]) -> tuple[tuple[tuple[int, int], ...], tuple[int, int]]:
        """Corners and shape of the windows, rounded down to whole patches."""
        if self.windows is None:
            return ((0, 0),), size
        patch = self.backbone.patch
        whole = Windows(
            size=max(self.windows.size // patch, 1) * patch,
            stride=max(self.windows.stride // patch, 1) * patch,
        )
        return whole.corners(*size), whole.shape(*size)
