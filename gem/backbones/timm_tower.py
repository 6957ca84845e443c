"""A vision transformer of timm, walked without touching the model.

Shapes: b images, y x pixels, n tokens (class token and registers, as far as there are any, patches
row by row), m those that are no patches, c width, h heads, d head width, p patches, e embedding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from timm.models.vision_transformer import Block as VitBlock
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from gem.backbones.positions import Positions, resize_positions
from gem.backbones.walk import walk
from gem.provenance import Provenance
from gem.tower import TowerShape
from gem.trace import Block, Heads, Projection, Resid, Trace

Readout = Callable[[Float[Tensor, "b p c"]], Float[Tensor, "b p e"]]


class TimmBlock:
    """`gem.trace.Block` over one of timm's blocks; drop-paths and dropouts are off in use."""

    def __init__(self, block: VitBlock) -> None:
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


def as_it_is(patches: Float[Tensor, "b p c"]) -> Float[Tensor, "b p c"]:
    """No readout: the normalised patches are the features, as a companion's are."""
    return patches


@dataclass(frozen=True)
class TimmTower:
    """A loaded model: a `gem.tower.Companion`, or the image tower of a model of open_clip.

    ``readout`` is the way from the patches behind the final norm to the features.
    """

    model: VisionTransformer
    provenance: Provenance
    device: torch.device
    dtype: torch.dtype
    positions: Positions
    readout: Readout = as_it_is

    @cached_property
    def blocks(self) -> Sequence[Block]:
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
        return walk(resid, self._blocks_on(grid), keep, project=self._project, grid=grid)

    def _blocks_on(self, grid: tuple[int, int]) -> Sequence[Block]:  # noqa: ARG002
        """The blocks for a grid of patches: the same for all, if they know no places."""
        return self.blocks

    def _tokens(self, images: Float[Tensor, "b 3 y x"]) -> tuple[Resid, tuple[int, int]]:
        """All tokens with position embeddings fitted to the grid; the grid."""
        model = self.model
        plane = model.patch_embed.proj(images)
        grid = (int(plane.shape[2]), int(plane.shape[3]))
        patches = model.patch_embed.norm(rearrange(plane, "b c y x -> b (y x) c"))
        first = [token for token in (model.cls_token, model.reg_token) if token is not None]
        own, places = self._positions(grid)
        tokens = patches + places
        if first:
            prefix = torch.cat(first, dim=1).expand(len(images), -1, -1)
            tokens = torch.cat([prefix + own, tokens], dim=1)
        resid: Tensor = model.norm_pre(tokens)
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

    def _project(self, resid: Resid) -> Float[Tensor, "b p e"]:
        """Final norm of the patch tokens, and their readout."""
        return self.readout(self.model.norm(resid[:, self.model.num_prefix_tokens :]))


def shape_of(model: VisionTransformer) -> TowerShape:
    """The sizes of a model of timm."""
    return TowerShape(
        num_blocks=len(model.blocks),
        patch_size=int(model.patch_embed.patch_size[0]),
        embedding=int(model.embed_dim),
        class_token=model.cls_token is not None,
    )
