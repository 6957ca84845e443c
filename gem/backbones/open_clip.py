"""Any open_clip model whose image tower is a vision transformer of open_clip's own or of timm."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from gem.backbones.backbone import TowerShape
from gem.options import Flag, Seed, options
from gem.provenance import Provenance

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from torch import Tensor

    from gem.backbones.towers import Towers
    from gem.trace import Trace

Precision = Literal["fp32", "tf32", "bf16", "fp16"]


@options
class OpenClip:
    """CLIP, OpenCLIP, MetaCLIP, DataComp, DFN, SigLIP: a model of open_clip, never modified.

    Towers of timm (SigLIP, SigLIP 2, EVA-02) are walked as well. The patches of a tower that pools
    by attention go through the values of that attention, as one patch alone would. Texts of SigLIP
    and CLIPA need the package `transformers` and the files of their tokenizer: of the model's
    folder, or of the hub.

    model: a name that open_clip knows (``ViT-B-16``), a folder with ``open_clip_config.json``
        (and ``vocabulary.txt`` if its text tower reads whole words, or the files of a tokenizer of
        the hub if it wants one), or ``tiny``: the embedded model, trained on drawn scenes, whose
        card is ``gem/backbones/tiny/README.md``.
    weights: a tag that open_clip knows for the model (``openai``, ``laion400m_e32``), a
        ``.safetensors`` or ``.pt`` file, ``embedded`` for the tiny model, or null: random weights
        from ``seed``.
    quick_gelu: the activation that the weights were trained with. null follows the tag; a file
        does not say it, so it must be given. One that contradicts the tag is an error: open_clip
        only warns, and many published numbers are of the wrong activation.
    device: ``auto`` (the GPU if there is one), ``cpu``, ``cuda``, ``cuda:1``.
    precision: of the towers. Cosines and everything after them are float32. ``tf32`` is float32
        that a GPU multiplies with 10 bits of each factor; with ``fp32`` all are used.
    positions: how position embeddings are brought to another grid than the trained one:
        ``antialias`` (bicubic with antialias, the release of GEM), ``bicubic`` (DINO's idiom;
        SCLIP, ClearCLIP, NACLIP and their kin) or ``bilinear`` (CLIP Surgery).
    compile: let torch compile the parts of the image tower's blocks, which takes a minute and needs
        a C++ compiler on a CPU; changes the speed, and numbers in their last bits. Not for towers
        of timm.
    """

    model: str
    weights: str | None = None
    quick_gelu: Flag | None = None
    device: str = "auto"
    precision: Precision = "fp32"
    positions: Literal["antialias", "bicubic", "bilinear"] = "antialias"
    compile: Flag = False
    seed: Seed = 0

    @cached_property
    def towers(self) -> Towers:
        """The model, built and loaded when it is first needed."""
        from gem.backbones.known import load_open_clip

        load_open_clip()  # before others load it as a whole
        from gem.backbones.loading import load_towers

        return load_towers(
            self.model,
            self.weights,
            quick_gelu=self.quick_gelu,
            device=self.device,
            precision=self.precision,
            positions=self.positions,
            compiled=self.compile,
            seed=self.seed,
        )

    @cached_property
    def shape(self) -> TowerShape:
        """Sizes of the image tower; reads the model's config, but builds no model."""
        from gem.backbones.shapes import tower_shape

        return tower_shape(self.model)

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
        if "towers" in vars(self):
            return self.towers.provenance
        from gem.backbones.weights import provenance_of

        return provenance_of(self.model, self.weights, quick_gelu=self.quick_gelu, seed=self.seed)

    @property
    def text_key(self) -> tuple[str | bool | None, ...] | None:
        """Model and weights by their hashes, precision, kind of device; not where the files are."""
        if self.provenance.random:
            return None
        device, found = self.torch_device.type, self.provenance
        kind = (self.quick_gelu, self.precision, device)
        return ("open_clip", self.model, *kind, found.sha256, found.config)

    def unload(self) -> None:
        """Forget the loaded model; it is loaded again when it is needed."""
        vars(self).pop("towers", None)

    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """One pass over normalised images, of which the last ``keep`` blocks are kept."""
        return self.towers.trace(images, keep)

    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """Unit-length text embeddings, float32."""
        return self.towers.embed(prompts)
