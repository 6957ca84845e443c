"""Image towers of timm within models of open_clip: SigLIP, EVA02 and their kin.

Shapes: b images, p patches, c width, e embedding.
"""

from typing import Any

import timm
import torch
from jaxtyping import Float
from open_clip import CLIPVisionCfg
from open_clip.timm_model import TimmModel
from timm.layers import AttentionPoolLatent
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from gem.backbones.eva_tower import EvaTower, odd_eva_parts
from gem.backbones.model_config import CONFIG, SUPPORTED, folder_of
from gem.backbones.open_clip_model import built_of
from gem.backbones.positions import Positions
from gem.backbones.timm_model import odd_parts
from gem.backbones.timm_tower import Readout, TimmTower, shape_of
from gem.provenance import Provenance
from gem.tower import TowerShape


def empty_visual(name: str, config: dict[str, Any]) -> TimmModel:
    """The image tower of a model's config, without memory for its parameters.

    Raises ValueError for a name that timm does not know and for a tower that is not supported.
    """
    vision, folder = config["vision_cfg"], folder_of(name)
    if not timm.is_model(str(vision["timm_model_name"]).partition(".")[0]):
        raise ValueError(f"backbone.model={name}: timm has no model {vision['timm_model_name']}")
    with built_of(folder and folder / CONFIG), torch.device("meta"):
        sizes = CLIPVisionCfg(**vision)
        visual = TimmModel(
            sizes.timm_model_name,
            embed_dim=config["embed_dim"],
            image_size=sizes.image_size,
            pool=sizes.timm_pool,
            proj=sizes.timm_proj,
            proj_bias=sizes.timm_proj_bias,
        )
    _check_supported(name, visual)
    return visual


def _check_supported(name: str, visual: TimmModel) -> None:
    """Raise ValueError, naming what is not supported."""
    trunk = visual.trunk
    if type(trunk) not in {VisionTransformer, Eva}:
        raise ValueError(
            f"backbone.model={name} has a tower of timm's class {type(trunk).__name__}; {SUPPORTED}"
        )
    odd = odd_eva_parts(trunk) if type(trunk) is Eva else odd_parts(trunk)
    reasons = {
        "register tokens": trunk.num_prefix_tokens > (trunk.cls_token is not None),
        "a pool of its own kind": "pool" in dict(visual.head.named_children())
        or trunk.global_pool not in {"", "avg", "token", "map"}
        or not _plain_pool(trunk.attn_pool),
    }
    if found := [*odd, *(key for key, present in reasons.items() if present)]:
        raise ValueError(f"backbone.model={name} has {' and '.join(found)}; {SUPPORTED}")


def _plain_pool(pool: nn.Module | None) -> bool:
    """Whether a pool by attention looks at the tokens as they are, or there is none."""
    return pool is None or (type(pool) is AttentionPoolLatent and pool.pos_embed is None)


def visual_shape(visual: TimmModel) -> TowerShape:
    """The sizes of a tower; features are as wide as what its last layer gives."""
    own, layers = shape_of(visual.trunk), [*visual.trunk.head.modules(), *visual.head.modules()]
    widths = [one.out_features for one in layers if isinstance(one, nn.Linear)]
    return TowerShape(
        num_blocks=own.num_blocks,
        patch_size=own.patch_size,
        embedding=widths[-1] if widths else own.embedding,
        class_token=own.class_token,
    )


def tower_of(
    visual: TimmModel,
    *,
    provenance: Provenance,
    device: torch.device,
    dtype: torch.dtype,
    positions: Positions,
) -> TimmTower:
    """The walk through a loaded tower."""
    kind = EvaTower if isinstance(visual.trunk, Eva) else TimmTower
    return kind(
        model=visual.trunk,
        provenance=provenance,
        device=device,
        dtype=dtype,
        positions=positions,
        readout=readout_of(visual),
    )


def readout_of(visual: TimmModel) -> Readout:
    """What the pool and the head would make of an image that has one patch, for every patch.

    A mean of patches or a class token only chooses tokens. Attention pooling (SigLIP) weighs the
    values of the tokens: of one patch alone it takes its value. So this is MaskCLIP's readout of
    the pool.
    """
    trunk = visual.trunk

    def read(patches: Float[Tensor, "b p c"]) -> Float[Tensor, "b p e"]:
        if trunk.attn_pool is not None:
            patches = pooled_alone(trunk.attn_pool, patches)
        features: Tensor = visual.head(trunk.head(trunk.fc_norm(patches)))
        return features

    return read


def pooled_alone(
    pool: AttentionPoolLatent, patches: Float[Tensor, "b p c"]
) -> Float[Tensor, "b p c"]:
    """Attention pooling over each patch alone: its value, projected; the MLP with its residual."""
    _, values = pool.kv(patches).chunk(2, dim=-1)
    found: Tensor = pool.proj(values)
    return found if pool.mlp is None else found + pool.mlp(pool.norm(found))
