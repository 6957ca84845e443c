"""A vision transformer of timm as a companion: DINO, DINOv2 and their kin."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gem.options import Seed, options
from gem.provenance import Provenance
from gem.tower import TowerShape

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from timm.models.vision_transformer import VisionTransformer
    from torch import Tensor

    from gem.backbones.timm_tower import TimmTower
    from gem.trace import Trace


@options
class TimmVit:
    """A `gem.tower.Companion` that timm builds, never modified: its own VisionTransformer.

    Class token, register tokens, layer scale, norms of queries and keys and any size of image are
    read; rotary positions (DINOv3), attention pooling and distillation tokens are refused.

    model: a name that timm knows, which may have the tag of its training
        (``vit_base_patch8_224.dino``), or a folder with timm's ``config.json``. The tag says how
        images are normalised, which a file of weights does not.
    weights: a tag that timm knows for the model (``dino``, ``lvd142m``), a ``.safetensors``,
        ``.pt`` or ``.pth`` file as timm, DINO or DINOv2 publish them, ``embedded`` for the
        ``model.safetensors`` of a folder, or null: random weights from ``seed``.
    device: ``auto`` (the GPU if there is one), ``cpu``, ``cuda``, ``cuda:1``.
    precision: of the tower. Similarities of its features are float32.
    positions: how position embeddings are brought to another grid than the trained one, as
        `gem.OpenClip`: ``bicubic`` is what DINO and DINOv2 do themselves (with registers DINOv2
        does ``antialias``, as timm does for all).
    """

    model: str
    weights: str | None = None
    device: str = "auto"
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    positions: Literal["antialias", "bicubic", "bilinear"] = "bicubic"
    seed: Seed = 0

    def __str__(self) -> str:
        """What tables call it: ``vit_base_patch8_224.dino``, with the stem of a file of weights."""
        name, weights = Path(self.model).name, Path(self.weights or "random").stem
        return name if weights in {"embedded", name.partition(".")[2]} else f"{name}:{weights}"

    @cached_property
    def tower(self) -> TimmTower:
        """The model, built and loaded when it is first needed."""
        from gem.backbones.timm_loading import load_tower

        return load_tower(
            self.model,
            self.weights,
            device=self.device,
            precision=self.precision,
            positions=self.positions,
            seed=self.seed,
        )

    @cached_property
    def _empty(self) -> VisionTransformer:
        """The model without its parameters."""
        from gem.backbones.timm_loading import tagged
        from gem.backbones.timm_model import empty_vit

        return empty_vit(tagged(self.model, self.weights))

    @cached_property
    def shape(self) -> TowerShape:
        """Sizes of the tower; no weights are looked for."""
        from gem.backbones.timm_tower import shape_of

        return shape_of(self._empty)

    @property
    def mean(self) -> tuple[float, float, float]:
        """Channel means that the model expects removed."""
        red, green, blue = self._empty.pretrained_cfg["mean"]
        return red, green, blue

    @property
    def std(self) -> tuple[float, float, float]:
        """Channel deviations that the model expects divided out."""
        red, green, blue = self._empty.pretrained_cfg["std"]
        return red, green, blue

    @property
    def torch_device(self) -> torch.device:
        """Where the model is."""
        return self.tower.device

    @cached_property
    def provenance(self) -> Provenance:
        """Model and weights; reads the weights' file, but builds no model."""
        if "tower" in vars(self):
            return self.tower.provenance
        from gem.backbones.timm_loading import provenance_of

        return provenance_of(self.model, self.weights, seed=self.seed)

    def unload(self) -> None:
        """Forget the loaded model; it is loaded again when it is needed."""
        vars(self).pop("tower", None)

    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """One pass over normalised images, of which the last ``keep`` blocks are kept."""
        return self.tower.trace(images, keep)
