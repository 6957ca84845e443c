"""A backbone and a method together: prompts in, maps out.

Shapes: b images, y x pixels, u v rows and columns of patches, p = u v patches, e embedding,
w prompts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gem.backbones import Backbone
from gem.image import min_max, to_input, upsample
from gem.methods import Gem, Method
from gem.resize import Resize, ShortSide


@dataclass(frozen=True)
class Segmenter:
    """Matches the patches of images with words, by the cosine of their embeddings."""

    backbone: Backbone
    method: Method = field(default_factory=Gem)
    resize: Resize = field(default_factory=ShortSide)

    def prepare(self, image: Image.Image) -> Float[Tensor, "3 y x"]:
        """The model's input: resized by the rule, normalised as the model was trained."""
        backbone = self.backbone
        size = self.resize.fit(image.height, image.width, backbone.patch)
        return to_input(image, size, mean=backbone.mean, std=backbone.std)

    @torch.inference_mode()
    def cosines(
        self, images: Float[Tensor, "b 3 y x"], text: Float[Tensor, "w e"]
    ) -> Float[Tensor, "b w u v"]:
        """Cosine, in [-1, 1], of every patch with every text embedding of unit length.

        Raises ValueError if the method wants more blocks than the tower has.
        """
        trace = self.backbone.trace(images, keep=self.method.reads)
        patches = F.normalize(self.method(trace).float(), dim=-1)
        rows, columns = trace.grid
        return rearrange(patches @ text.T, "b (u v) w -> b w u v", u=rows, v=columns)

    def heatmaps(self, image: Image.Image, prompts: Sequence[str]) -> Float[Tensor, "w y x"]:
        """One map per prompt at the image's own size, each scaled to [0, 1].

        Raises ValueError if there are no prompts or one does not fit the text tower.
        """
        if not prompts:
            raise ValueError("no prompts: give at least one")
        text = self.backbone.embed(prompts)
        maps = self.cosines(self.prepare(image)[None], text)[0]
        return min_max(upsample(maps, (image.height, image.width)))
