"""CLIPSeg's tokens of an image's windows, and the maps that its decoder makes of them by prompt.

Shapes: b images, n windows, y x pixels, d layers of the decoder, t tokens, r their width,
w words, e embedding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from gem.device import float32_products
from gem.systems.overlap import mean_of_windows
from gem.systems.single import windows_of
from gem.vocabulary import Queries
from gem.windows import Tiles

CHUNK = 16  # words at a time: 64 MB in the decoder's widest layer for a window of 352 pixels


@dataclass(frozen=True)
class PromptedImage:
    """A `gem.segmenter.EncodedImage`: what the decoder reads of each window.

    tokens: the class token and the patches of each layer, brought to the width of the decoder.
    decoder: of the model, with the number format that it computes in. threshold,
    background_factor: the options of `gem.systems.ClipSeg`. tf32: how a GPU multiplies. ``tiles``
    says where the windows lie in ``pixels``.
    """

    tokens: Float[Tensor, "n d t r"]
    decoder: Any
    tiles: Tiles
    patch: int
    pixels: Float[Tensor, "3 y x"]
    threshold: float | None = None
    background_factor: float = 1.0
    tf32: bool = False

    @property
    def labels(self) -> None:
        """None: labels are decided from the scores."""
        return

    @torch.inference_mode()
    def scores(self, queries: Queries) -> Float[Tensor, "w y x"]:
        """In [0, 1], but for words of the background; at every pixel of the input."""
        windows = (self._maps(one, queries) for one in self.tokens)
        height, width = self.pixels.shape[1:]
        with float32_products(tf32=self.tf32):
            maps = mean_of_windows(windows, (height, width), self.tiles)
        if queries.background:
            maps[queries.class_index == 0] *= self.background_factor
        return maps

    def nothing(self, queries: Queries) -> Float[Tensor, "1 1"] | None:
        """The threshold, the same everywhere."""
        if self.threshold is None:
            return None
        return torch.full((1, 1), self.threshold, device=queries.text.device)

    def _maps(self, tokens: Float[Tensor, "d t r"], queries: Queries) -> Float[Tensor, "w y x"]:
        """Of one window; the sigmoids of the decoder's logits, which are computed in its format."""
        rows = self.tiles.seen[0] // self.patch
        asked = queries.text.to(tokens.dtype)
        chunks = [asked[first : first + CHUNK] for first in range(0, len(asked), CHUNK)]
        parts = [decode(self.decoder, tokens, some, rows).float() for some in chunks]
        return torch.cat(parts).sigmoid()


def decode(
    decoder: Any, tokens: Float[Tensor, "d t r"], asked: Float[Tensor, "w e"], rows: int
) -> Float[Tensor, "w y x"]:
    """The logits of each prompt.

    As ``CLIPSegDecoder.forward``, which knows only squares and reads each image anew.
    """
    found = torch.zeros_like(tokens[:1])
    for number, (layer, read) in enumerate(zip(decoder.layers, tokens, strict=True)):
        found = found + read
        if number == decoder.conditional_layer:
            times, plus = decoder.film_mul(asked), decoder.film_add(asked)
            found = times[:, None] * found + plus[:, None]
        found = layer(found, attention_mask=None)
    grid = rearrange(found[:, 1:], "w (u v) r -> w r u v", u=rows)
    logits: Tensor = decoder.transposed_convolution(grid)
    return logits[:, 0]


@torch.inference_mode()
def look(
    module: Any, inputs: Float[Tensor, "b 3 y x"], images: Float[Tensor, "b 3 y x"], tiles: Tiles
) -> list[PromptedImage]:
    """Pass the windows of ``images`` through CLIP's tower; ``inputs`` are where it is."""
    reduces = module.decoder.reduces
    windows = [
        torch.stack([one(layer) for one, layer in zip(reduces, _layers(module, seen), strict=True)])
        for seen in windows_of(inputs, tiles)
    ]
    tokens = rearrange(windows, "n d b t r -> b n d t r")
    patch = int(module.config.vision_config.patch_size)
    return [
        PromptedImage(one, module.decoder, tiles, patch, image)
        for one, image in zip(tokens, images, strict=True)
    ]


def _layers(module: Any, images: Float[Tensor, "b 3 y x"]) -> Iterator[Float[Tensor, "b t c"]]:
    """What leaves the layers of the tower that the decoder reads, last first."""
    vision, wanted = module.clip.vision_model, list(module.extract_layers)
    resid = vision.pre_layrnorm(vision.embeddings(images, interpolate_pos_encoding=True))
    found = {}
    for number, layer in enumerate(vision.encoder.layers[: max(wanted) + 1]):
        resid = layer(resid, attention_mask=None)
        found[number] = resid
    return (found[number] for number in reversed(wanted))
