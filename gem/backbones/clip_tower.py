"""The image tower of open_clip's own models, walked without touching it.

Shapes: b images, y x pixels, n tokens, c width, h heads, d head width, p patches, e embedding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor

from gem.backbones.positions import Positions, resize_positions
from gem.backbones.walk import walk
from gem.tower import TowerShape
from gem.trace import Block, Heads, Projection, Resid, Trace


class ViTBlock:
    """`gem.trace.Block` over one of open_clip's residual attention blocks."""

    def __init__(self, block: ResidualAttentionBlock) -> None:
        self._block = block
        self._weights = dict(zip("qkv", block.attn.in_proj_weight.chunk(3), strict=True))
        self._biases = dict(zip("qkv", block.attn.in_proj_bias.chunk(3), strict=True))

    def norm(self, resid: Resid) -> Resid:
        """``ln_1``."""
        normed: Tensor = self._block.ln_1(resid)
        return normed

    def head(self, normed: Resid, projection: Projection) -> Heads:
        """One third of the input projection, split into heads."""
        flat = F.linear(normed, self._weights[projection], self._biases[projection])
        return rearrange(flat, "b n (h d) -> b h n d", h=self._block.attn.num_heads)

    def write(self, heads: Heads) -> Resid:
        """``out_proj`` and the layer scale, if there is one."""
        update: Tensor = self._block.attn.out_proj(rearrange(heads, "b h n d -> b n (h d)"))
        scaled: Tensor = self._block.ls_1(update)
        return scaled

    def mlp(self, resid: Resid) -> Resid:
        """``ln_2``, the two linear layers, the layer scale."""
        update: Tensor = self._block.ls_2(self._block.mlp(self._block.ln_2(resid)))
        return update


class CompiledBlock:
    """The same block, its parts compiled by torch: one kernel where there were several.

    The blocks of a tower share what is compiled; a second shape makes it serve all shapes.
    """

    def __init__(self, block: ViTBlock) -> None:
        self._block = block

    def norm(self, resid: Resid) -> Resid:
        """`ViTBlock.norm`."""
        return _compiled("norm")(self._block, resid)

    def head(self, normed: Resid, projection: Projection) -> Heads:
        """`ViTBlock.head`."""
        return _compiled("head")(self._block, normed, projection)

    def write(self, heads: Heads) -> Resid:
        """`ViTBlock.write`."""
        return _compiled("write")(self._block, heads)

    def mlp(self, resid: Resid) -> Resid:
        """`ViTBlock.mlp`."""
        return _compiled("mlp")(self._block, resid)


@cache
def _compiled(part: str) -> Callable[..., Tensor]:
    found: Callable[..., Tensor] = torch.compile(getattr(ViTBlock, part))
    return found


@dataclass(frozen=True)
class ClipTower:
    """A loaded tower: class token, patches, norm, projection; also where the pool is a mean.

    The patches of a tower that was trained with the mean of its patches go the way of that mean.
    """

    visual: VisionTransformer
    positions: Positions
    compiled: bool = False

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Its blocks, first to last."""
        plain = [ViTBlock(block) for block in self.visual.transformer.resblocks]
        return tuple(CompiledBlock(block) if self.compiled else block for block in plain)

    @property
    def shape(self) -> TowerShape:
        """Sizes of the tower as it was built."""
        side, width = int(self.visual.patch_size[0]), int(self.visual.output_dim)
        return TowerShape(num_blocks=len(self.blocks), patch_size=side, embedding=width)

    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """`walk` of images that are where the tower is, of its type."""
        resid, grid = self._tokens(images)
        return walk(resid, self.blocks, keep, project=self._project, grid=grid)

    def _tokens(self, images: Float[Tensor, "b 3 y x"]) -> tuple[Resid, tuple[int, int]]:
        """Class and patch tokens with position embeddings fitted to the grid; the grid."""
        visual = self.visual
        patches = visual.conv1(images)
        grid = (int(patches.shape[2]), int(patches.shape[3]))
        tokens = rearrange(patches, "b c y x -> b (y x) c")
        first = visual.class_embedding.to(tokens.dtype).expand(len(tokens), 1, -1)
        tokens = torch.cat([first, tokens], dim=1)
        resid: Tensor = visual.ln_pre(tokens + self.placed(grid).to(tokens.dtype))
        return resid, grid

    def placed(self, grid: tuple[int, int]) -> Float[Tensor, "n c"]:
        """Position embeddings for a grid; the class token keeps its own."""
        positions: Tensor = self.visual.positional_embedding
        trained: tuple[int, int] = self.visual.grid_size
        if grid == trained:
            return positions
        plane = positions[1:].float()
        resized = resize_positions(plane, trained, grid, self.positions)
        return torch.cat([positions[:1], resized.to(positions.dtype)])

    def _project(self, resid: Resid) -> Float[Tensor, "b p e"]:
        """Final norm and projection of the patch tokens."""
        features: Tensor = self.visual.ln_post(resid[:, 1:]) @ self.visual.proj
        return features
