"""The two towers of a BLIP model, walked without touching it.

Shapes: b images, y x pixels, n tokens (class token, patches row by row), c width, h heads, d head
width, p patches, e embedding, w prompts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from gem.backbones.positions import Positions, resize_positions
from gem.backbones.prompts import embed_prompts
from gem.backbones.walk import walk
from gem.trace import Block, Heads, Projection, Resid, Trace


class BlipBlock:
    """`gem.trace.Block` over one of the layers of the library's encoder."""

    def __init__(self, layer: Any) -> None:
        attn = layer.self_attn
        self._layer = layer
        self._weights = dict(zip("qkv", attn.qkv.weight.chunk(3), strict=True))
        self._biases = dict(zip("qkv", attn.qkv.bias.chunk(3), strict=True))

    def norm(self, resid: Resid) -> Resid:
        """``layer_norm1``."""
        normed: Tensor = self._layer.layer_norm1(resid)
        return normed

    def head(self, normed: Resid, projection: Projection) -> Heads:
        """One third of ``qkv``, split into heads."""
        flat = F.linear(normed, self._weights[projection], self._biases[projection])
        return rearrange(flat, "b n (h d) -> b h n d", h=self._layer.self_attn.num_heads)

    def write(self, heads: Heads) -> Resid:
        """``projection``."""
        update: Tensor = self._layer.self_attn.projection(rearrange(heads, "b h n d -> b n (h d)"))
        return update

    def mlp(self, resid: Resid) -> Resid:
        """``layer_norm2`` and the MLP."""
        update: Tensor = self._layer.mlp(self._layer.layer_norm2(resid))
        return update


@dataclass(frozen=True)
class BlipTowers:
    """A loaded model with BERT's tokenizer. `gem.backbones.Backbone` says what methods promise."""

    model: Any
    words: Any
    device: torch.device
    dtype: torch.dtype
    positions: Positions
    max_length: int

    @cached_property
    def blocks(self) -> Sequence[Block]:
        """Those of the image tower, first to last."""
        return tuple(BlipBlock(layer) for layer in self.model.vision_model.encoder.layers)

    @torch.inference_mode()
    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """Walk the image tower; the last ``keep`` blocks are kept, the rest dropped on the way."""
        resid, grid = self._tokens(images.to(self.device, self.dtype, non_blocking=True))
        return walk(resid, self.blocks, keep, project=self._project, grid=grid)

    @torch.inference_mode()
    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """Tokenise and encode. Raises ValueError for a prompt that is too long."""
        return embed_prompts(
            prompts,
            self._encode,
            count=lambda prompt: len(self.words(prompt, add_special_tokens=False)["input_ids"]),
            room=self.max_length - self.words.num_special_tokens_to_add(),
        )

    def _encode(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """All padded to one length, so that no text depends on those beside it."""
        found = self.words(
            list(prompts),
            padding="max_length",
            truncation=True,
            max_length=self.max_length,
            return_tensors="pt",
        ).to(self.device)
        read = self.model.text_encoder(
            input_ids=found["input_ids"], attention_mask=found["attention_mask"]
        )
        embedded: Tensor = self.model.text_proj(read.last_hidden_state[:, 0])
        return embedded

    def _tokens(self, images: Float[Tensor, "b 3 y x"]) -> tuple[Resid, tuple[int, int]]:
        """Class and patch tokens with position embeddings fitted to the grid; the grid."""
        parts = self.model.vision_model.embeddings
        plane = parts.patch_embedding(images)
        grid = (int(plane.shape[2]), int(plane.shape[3]))
        first = parts.class_embedding.expand(len(images), -1, -1)
        tokens = torch.cat([first, rearrange(plane, "b c y x -> b (y x) c")], dim=1)
        return tokens + self.placed(grid), grid

    def placed(self, grid: tuple[int, int]) -> Float[Tensor, "1 n c"]:
        """Position embeddings for a grid; the class token keeps its own."""
        parts = self.model.vision_model.embeddings
        positions: Tensor = parts.position_embedding
        side = round((positions.shape[1] - 1) ** 0.5)
        if grid == (side, side):
            return positions
        resized = resize_positions(positions[0, 1:].float(), (side, side), grid, self.positions)
        return torch.cat([positions[:, :1], resized.to(positions.dtype)[None]], dim=1)

    def _project(self, resid: Resid) -> Float[Tensor, "b p e"]:
        """Final norm and projection of the patch tokens."""
        normed = self.model.vision_model.post_layernorm(resid[:, 1:])
        features: Tensor = self.model.vision_proj(normed)
        return features
