"""The two towers of an open_clip model, walked without touching the model.

Shapes: b images, y x pixels, n tokens, c width, h heads, d head width, p patches, e embedding,
w prompts.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from open_clip import CLIP, CustomTextCLIP
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor

from gem.backbones.backbone import TowerShape
from gem.backbones.open_clip_model import Tokenizer
from gem.backbones.positions import Positions, resize_positions
from gem.provenance import Provenance
from gem.trace import Block, Heads, Layer, Projection, Resid, Trace


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
class Towers:
    """A loaded model. See `gem.backbones.Backbone` for what its methods promise."""

    model: CLIP | CustomTextCLIP
    tokenizer: Tokenizer
    provenance: Provenance
    device: torch.device
    dtype: torch.dtype
    positions: Positions
    compiled: bool = False

    @cached_property
    def visual(self) -> VisionTransformer:
        """The image tower."""
        return self.model.visual

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Its blocks, first to last."""
        plain = [ViTBlock(block) for block in self.visual.transformer.resblocks]
        return tuple(CompiledBlock(block) if self.compiled else block for block in plain)

    @property
    def shape(self) -> TowerShape:
        """Sizes of the image tower as it was built."""
        side, width = int(self.visual.patch_size[0]), int(self.visual.output_dim)
        return TowerShape(num_blocks=len(self.blocks), patch_size=side, embedding=width)

    @property
    def mean(self) -> tuple[float, float, float]:
        """Channel means of the model's own preprocessing."""
        red, green, blue = self.visual.preprocess_cfg["mean"]
        return red, green, blue

    @property
    def std(self) -> tuple[float, float, float]:
        """Channel deviations of the model's own preprocessing."""
        red, green, blue = self.visual.preprocess_cfg["std"]
        return red, green, blue

    @torch.inference_mode()
    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """Walk the image tower; the last ``keep`` blocks are kept, the rest dropped on the way."""
        resid, grid = self._tokens(images.to(self.device, self.dtype, non_blocking=True))
        kept: deque[Layer] = deque(maxlen=keep)
        for block in self.blocks:
            kept.append(Layer(kept[-1].out if kept else resid, block))
        return Trace(kept, project=self._project, grid=grid, depth=len(self.blocks))

    @torch.inference_mode()
    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """Tokenise and encode, 256 prompts at a time. Raises ValueError for one too long."""
        room = self.tokenizer.context_length - 2
        for prompt in prompts:
            if (length := len(self.tokenizer.encode(prompt))) > room:
                raise ValueError(
                    f"the prompt {prompt!r} has {length} tokens, but the text tower reads {room}"
                )
        parts = [
            self.model.encode_text(self.tokenizer(chunk).to(self.device), normalize=True).float()
            for chunk in (prompts[i : i + 256] for i in range(0, len(prompts), 256))
        ]
        return F.normalize(torch.cat(parts), dim=-1)

    def _tokens(self, images: Float[Tensor, "b 3 y x"]) -> tuple[Resid, tuple[int, int]]:
        """Class and patch tokens with position embeddings fitted to the grid; the grid."""
        visual = self.visual
        patches = visual.conv1(images)
        grid = (int(patches.shape[2]), int(patches.shape[3]))
        tokens = rearrange(patches, "b c y x -> b (y x) c")
        first = visual.class_embedding.to(tokens.dtype).expand(len(tokens), 1, -1)
        tokens = torch.cat([first, tokens], dim=1)
        resid: Tensor = visual.ln_pre(tokens + self._positions(grid).to(tokens.dtype))
        return resid, grid

    def _positions(self, grid: tuple[int, int]) -> Float[Tensor, "n c"]:
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
