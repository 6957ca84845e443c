"""EVA's tower as timm has it, walked without touching the model: EVA-CLIP, EVA-02.

Queries and keys are turned by the place of their patch (rotary embeddings); what attention read is
normalised before its projection, where the model does that.

Shapes: b images, n tokens (class token, patches row by row), c width, h heads, d head width.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from timm.layers import apply_rot_embed_cat
from timm.models.eva import EvaBlock
from torch import Tensor

from gem.backbones.timm_model import odd_stem
from gem.backbones.timm_tower import TimmTower
from gem.trace import Block, Heads, Projection, Resid

Rotation = Float[Tensor, "p r"]  # sines and cosines of a patch's place


class EvaTowerBlock:
    """`gem.trace.Block` over one of EVA's blocks; ``rotation`` is that of the grid, if it turns."""

    def __init__(self, block: EvaBlock, rotation: Rotation | None) -> None:
        self._block, self._rotation = block, rotation
        attn = block.attn
        self._norms = {"q": attn.q_norm, "k": attn.k_norm}
        if attn.qkv is None:
            parts = {"q": attn.q_proj, "k": attn.k_proj, "v": attn.v_proj}
            self._weights = {name: part.weight for name, part in parts.items()}
            self._biases = {name: part.bias for name, part in parts.items()}
        else:
            self._weights = dict(zip("qkv", attn.qkv.weight.chunk(3), strict=True))
            self._biases = dict(zip("qkv", _fused_biases(attn), strict=True))

    def norm(self, resid: Resid) -> Resid:
        """``norm1``."""
        normed: Tensor = self._block.norm1(resid)
        return normed

    def head(self, normed: Resid, projection: Projection) -> Heads:
        """Queries and keys normalised, if the model does that, and those of patches turned."""
        flat = F.linear(normed, self._weights[projection], self._biases[projection])
        heads = rearrange(flat, "b n (h d) -> b h n d", h=self._block.attn.num_heads)
        if projection not in self._norms:
            return heads
        return self._turned(self._norms[projection](heads))

    def _turned(self, heads: Heads) -> Heads:
        if self._rotation is None:
            return heads
        first = heads.shape[2] - len(self._rotation)  # none if a method reads the patches alone
        half = self._block.attn.rotate_half
        turned = apply_rot_embed_cat(heads[:, :, first:], self._rotation, half=half)
        return torch.cat([heads[:, :, :first], turned.to(heads.dtype)], dim=2)

    def write(self, heads: Heads) -> Resid:
        """The norm inside the attention, ``proj``, the layer scale: each if there is one."""
        attn = self._block.attn
        update: Tensor = attn.proj(attn.norm(rearrange(heads, "b h n d -> b n (h d)")))
        return _scaled(update, self._block.gamma_1)

    def mlp(self, resid: Resid) -> Resid:
        """``norm2``, the MLP, the layer scale."""
        return _scaled(self._block.mlp(self._block.norm2(resid)), self._block.gamma_2)


def _fused_biases(attn: Any) -> Sequence[Tensor | None]:
    """Those of q, k and v; EVA's own attention keeps them apart from the weight."""
    if attn.qkv.bias is not None:
        thirds: Sequence[Tensor] = attn.qkv.bias.chunk(3)
        return thirds
    return [getattr(attn, f"{name}_bias", None) for name in "qkv"]


def _scaled(update: Tensor, scale: Tensor | None) -> Tensor:
    return update if scale is None else scale * update


class EvaTower(TimmTower):
    """A loaded model of timm's class ``Eva``."""

    def _blocks_on(self, grid: tuple[int, int]) -> Sequence[Block]:
        """The blocks, which turn queries and keys by the places of a grid.

        Places are scaled to the grid that the model was trained on, as the model does it.
        """
        rope = self.model.rope
        if rope is not None and grid != self.model.patch_embed.grid_size:
            rope = deepcopy(rope)  # the model stays as it is
            rope.update_feat_shape(grid)
        rotation = None if rope is None else rope.get_embed()
        return [EvaTowerBlock(block, rotation) for block in self.model.blocks]


def odd_eva_parts(model: Any) -> list[str]:
    """What this walk does not know, in words."""
    blocks = list(model.blocks)
    plain = all(type(block) is EvaBlock for block in blocks)
    attentions = [block.attn for block in blocks] if plain else []
    reasons = odd_stem(model) | {
        "no position embeddings": model.pos_embed is None,
        "rotary embeddings of another kind": model.rope is not None
        and (model.rope_mixed or not hasattr(model.rope, "update_feat_shape")),
        "blocks with their norms behind": not plain,
        "gated attention": any(attn.gate is not None for attn in attentions),
        "shared keys": any(getattr(attn, "num_kv_groups", 1) > 1 for attn in attentions),
    }
    return [reason for reason, present in reasons.items() if present]
