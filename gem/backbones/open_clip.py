"""Any open_clip model whose image tower is open_clip's own VisionTransformer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from gem.backbones.backbone import Provenance
from gem.options import Count, Flag, options

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from torch import Tensor

    from gem.backbones.towers import Towers
    from gem.trace import Trace

Precision = Literal["fp32", "bf16", "fp16"]


@options
class OpenClip:
    """CLIP, OpenCLIP, MetaCLIP, DataComp, DFN: a model that open_clip builds, never modified.

    model: a name that open_clip knows (``ViT-B-16``), a folder with ``open_clip_config.json``
        (and ``vocabulary.txt`` if its text tower reads whole words), or ``tiny``: the embedded
        model, trained on drawn scenes, whose card is ``gem/backbones/tiny/README.md``.
    weights: a tag that open_clip knows for the model (``openai``, ``laion400m_e32``), a
        ``.safetensors`` or ``.pt`` file, ``embedded`` for the tiny model, or null: random weights
        from ``seed``.
    quick_gelu: the activation that the weights were trained with. null follows the tag; a file
        does not say it, so it must be told. One that contradicts the tag is an error: open_clip
        only warns, and many published numbers are of the wrong activation.
    device: ``auto`` (the GPU if there is one), ``cpu``, ``cuda``, ``cuda:1``.
    precision: of the towers. Cosines and everything after them are float32.
    """

    model: str
    weights: str | None = None
    quick_gelu: Flag | None = None
    device: str = "auto"
    precision: Precision = "fp32"
    seed: Count = 0

    @cached_property
    def towers(self) -> Towers:
        """The model, built and loaded when it is first asked for."""
        from gem.backbones.towers import build

        return build(self)

    @property
    def patch(self) -> int:
        """Side of a patch, in pixels."""
        return self.towers.patch

    @property
    def blocks(self) -> int:
        """Number of blocks of the image tower."""
        return len(self.towers.blocks)

    @property
    def mean(self) -> tuple[float, float, float]:
        """Channel means that the model expects removed."""
        return self.towers.mean

    @property
    def std(self) -> tuple[float, float, float]:
        """Channel deviations that the model expects divided out."""
        return self.towers.std

    @property
    def torch_device(self) -> torch.device:
        """Where the model is."""
        return self.towers.device

    @cached_property
    def provenance(self) -> Provenance:
        """Model and weights; reads the weights' file, but builds no model."""
        from gem.backbones.towers import provenance

        return self.towers.provenance if "towers" in vars(self) else provenance(self)

    def let_go(self) -> None:
        """Forget the loaded model; it is loaded again when it is asked for."""
        vars(self).pop("towers", None)

    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """One pass over normalised images, of which the last ``keep`` blocks are kept."""
        return self.towers.trace(images, keep)

    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """Unit-length text embeddings, float32."""
        return self.towers.embed(prompts)
