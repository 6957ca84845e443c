"""A vision transformer of timm, walked without touching the model.

Shapes: b images, y x pixels, n tokens (class token, registers, patches row by row), c width,
h heads, d head width, p patches.
"""

from collections import deque
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor

from gem.backbones.positions import Positions, resize_positions
from gem.provenance import Provenance
from gem.tower import TowerShape
from gem.trace import Heads, Layer, Projection, Resid, Trace


class TimmBlock:
    """`gem.trace.Block` over one of timm's blocks; drop-paths and dropouts are off in use."""

    def __init__(self, block: Block) -> None:
        attn, thirds = block.attn, (None, None, None)
        biases = thirds if attn.qkv.bias is None else attn.qkv.bias.chunk(3)
        self._block = block
        self._weights = dict(zip("qkv", attn.qkv.weight.chunk(3), strict=True))
        self._biases = dict(zip("qkv", biases, strict=True))
        self._norms = {"q": attn.q_norm, "k": attn.k_norm}

    def norm(self, resid: Resid) -> Resid:
        """``norm1``."""
        normed: Tensor = self._block.norm1(resid)
        return normed

    def head(self, normed: Resid, projection: Projection) -> Heads:
        """One third of ``qkv``, split into heads; q and k normalised, if the model does that."""
        flat = F.linear(normed, self._weights[projection], self._biases[projection])
        heads = rearrange(flat, "b n (h d) -> b h n d", h=self._block.attn.num_heads)
        if projection in self._norms:
            heads = self._norms[projection](heads)
        return heads

    def write(self, heads: Heads) -> Resid:
        """``proj`` and the layer scale, if there is one."""
        update: Tensor = self._block.attn.proj(rearrange(heads, "b h n d -> b n (h d)"))
        scaled: Tensor = self._block.ls1(update)
        return scaled

    def mlp(self, resid: Resid) -> Resid:
        """``norm2``, the MLP, the layer scale."""
        update: Tensor = self._block.ls2(self._block.mlp(self._block.norm2(resid)))
        return update


@dataclass(frozen=True)
class TimmTower:
    """A loaded model. See `gem.tower.Companion` for what its methods promise."""

    model: VisionTransformer
    provenance: Provenance
    device: torch.device
    dtype: torch.dtype
    positions: Positions

    @cached_property
    def blocks(self) -> tuple[TimmBlock, ...]:
        """Its blocks, first to last."""
        return tuple(TimmBlock(block) for block in self.model.blocks)

    @property
    def shape(self) -> TowerShape:
        """Sizes of the tower as it was built."""
        return shape_of(self.model)

    @torch.inference_mode()
    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """Walk the tower; the last ``keep`` blocks are kept, the rest dropped on the way."""
        resid, grid = self._tokens(images.to(self.device, self.dtype, non_blocking=True))
        kept: deque[Layer] = deque(maxlen=keep)
        for block in self.blocks:
            kept.append(Layer(kept[-1].out if kept else resid, block))
        return Trace(kept, project=self._project, grid=grid, depth=len(self.blocks))

    def _tokens(self, images: Float[Tensor, "b 3 y x"]) -> tuple[Resid, tuple[int, int]]:
        """All tokens with position embeddings fitted to the grid; the grid."""
        model = self.model
        plane = model.patch_embed.proj(images)
        grid = (int(plane.shape[2]), int(plane.shape[3]))
        patches = model.patch_embed.norm(rearrange(plane, "b c y x -> b (y x) c"))
        first = [token for token in (model.cls_token, model.reg_token) if token is not None]
        prefix = torch.cat(first, dim=1).expand(len(images), -1, -1)
        own, places = self._positions(grid)
        resid: Tensor = model.norm_pre(torch.cat([prefix + own, patches + places], dim=1))
        return resid, grid

    def _positions(
        self, grid: tuple[int, int]
    ) -> tuple[Float[Tensor, "1 m c"] | float, Float[Tensor, "1 p c"]]:
        """Position embeddings of class token and registers, 0 if they have none; of a grid."""
        model = self.model
        count = 0 if model.no_embed_class else model.num_prefix_tokens
        own, places = model.pos_embed[:, :count], model.pos_embed[:, count:]
        trained: tuple[int, int] = model.patch_embed.grid_size
        if grid != trained:
            resized = resize_positions(places[0].float(), trained, grid, self.positions)
            places = resized.to(places.dtype)[None]
        return (own if count else 0.0), places

    def _project(self, resid: Resid) -> Float[Tensor, "b p c"]:
        """Final norm of the patch tokens."""
        features: Tensor = self.model.norm(resid[:, self.model.num_prefix_tokens :])
        return features


def shape_of(model: VisionTransformer) -> TowerShape:
    """The sizes of a model of timm."""
    return TowerShape(
        num_blocks=len(model.blocks),
        patch_size=int(model.patch_embed.patch_size[0]),
        embedding=int(model.embed_dim),
    )
