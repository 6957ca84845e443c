"""The two towers of an open_clip model.

Shapes: b images, y x pixels, w prompts, e embedding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from open_clip import CLIP, CustomTextCLIP
from open_clip.timm_model import TimmModel
from torch import Tensor

from gem.backbones.clip_tower import ClipTower
from gem.backbones.positions import Positions
from gem.backbones.prompts import embed_prompts
from gem.backbones.tokenizer import Tokenizer, room_of
from gem.provenance import Provenance
from gem.tower import TowerShape
from gem.trace import Trace

if TYPE_CHECKING:
    from gem.backbones.timm_tower import TimmTower


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

    @property
    def visual(self) -> Any:
        """The image tower as open_clip has it."""
        return self.model.visual

    @cached_property
    def tower(self) -> "ClipTower | TimmTower":
        """The image tower as it is walked: open_clip's own, or one of timm."""
        if not isinstance(self.visual, TimmModel):
            return ClipTower(self.visual, self.positions, self.compiled)
        from gem.backbones.open_timm import tower_of  # which imports timm

        return tower_of(
            self.visual,
            provenance=self.provenance,
            device=self.device,
            dtype=self.dtype,
            positions=self.positions,
        )

    @property
    def shape(self) -> TowerShape:
        """Sizes of the image tower as it was built."""
        if not isinstance(self.visual, TimmModel):
            return self.tower.shape
        from gem.backbones.open_timm import visual_shape

        return visual_shape(self.visual)

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
        return self.tower.trace(images.to(self.device, self.dtype, non_blocking=True), keep)

    @torch.inference_mode()
    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """Tokenise and encode. Raises ValueError for a prompt that is too long."""
        return embed_prompts(
            prompts,
            lambda some: self.model.encode_text(
                self.tokenizer(some).to(self.device), normalize=True
            ),
            count=lambda prompt: len(self.tokenizer.encode(prompt)),
            room=room_of(self.tokenizer),
        )
