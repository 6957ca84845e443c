"""BLIP as a backbone (Li et al., ICML 2022, arXiv 2201.12086), through the package transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, Strict

from gem.hub.model import HubModel
from gem.options import options
from gem.provenance import Provenance
from gem.tower import TowerShape

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.backbones.blip_towers import BlipTowers
    from gem.trace import Trace

TEXT = {"vocab_size": 30524, "num_attention_heads": 12}
BASE = {
    "text_config": TEXT,
    "vision_config": {"layer_norm_eps": 1e-6},
    "image_text_hidden_size": 256,
}
LARGE = {
    "text_config": TEXT,
    "vision_config": {
        "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
        "num_attention_heads": 16, "layer_norm_eps": 1e-6,
    },
    "image_text_hidden_size": 256,
}  # fmt: skip
"""What the library does not take by itself: vision 384 pixels, patches of 16, 12 blocks of 768."""


@options
class Blip(HubModel):
    """BLIP's image tower and its text encoder, never modified: the towers of its contrastive loss.

    Patches are ``vision_proj(norm(x))`` of the last stream, without the class token; a text is
    ``text_proj`` of the first token of the encoder, which sees no image.

    model: a name of the hub (``Salesforce/blip-itm-base-coco``, which was fine-tuned on COCO for
        retrieval), a folder in the hub's format, or ``blip-base`` and ``blip-large``: sizes alone,
        for a file of weights or random ones.
    weights: ``published`` (those of the model), a ``.pth`` file of the original release
        (``model_base_14M.pth``, ``model_base.pth``, ``model_large.pth``), or null: random ones from
        ``seed``. Words of such a file are those of BERT: of the model's folder, else the hub's
        bert-base-uncased.
    positions: how position embeddings are brought to another grid than the trained one, as
        `gem.OpenClip`; ``plain`` is what BLIP's own code does.
    max_length: tokens of a text with its start and end.
    """

    weights: str | None = "published"  # type: ignore[assignment] # the hub's, or a file
    positions: Literal["antialias", "bicubic", "bilinear", "plain"] = "plain"
    max_length: Annotated[int, Strict(), Field(ge=3, le=512)] = 35

    architecture: ClassVar[str] = "BlipForImageTextRetrieval"
    kinds: ClassVar[Mapping[str, str]] = {"blip": "BlipConfig"}
    sizes: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "blip-base": BASE, "blip-large": LARGE,
        "Salesforce/blip-itm-base-coco": BASE, "Salesforce/blip-itm-large-coco": LARGE,
        "Salesforce/blip-itm-base-flickr": BASE, "Salesforce/blip-itm-large-flickr": LARGE,
    }  # fmt: skip
    part: ClassVar[str] = "backbone"

    @cached_property
    def file(self) -> Path | None:
        """The file of weights. None if they are the hub's, or random.

        Raises FileNotFoundError or ValueError for what is none.
        """
        if self.weights in {None, "published"}:
            return None
        from gem.backbones.weights import given_file

        if found := given_file(str(self.weights)):
            return found
        raise ValueError(
            f"backbone.weights={self.weights}: expected published, null, or a .pth file of BLIP's "
            "original release"
        )

    @cached_property
    def folder(self) -> Path | None:
        """The model's files; beside a file of weights only a folder that is given has them."""
        if self.file is None:
            return super().folder
        return Path(self.model) if Path(self.model).is_dir() else None

    def _built(self) -> Any:
        """The model with its weights, float32, on the CPU."""
        from gem.backbones.blip_loading import load_original, spread_out

        if self.file is not None:
            return load_original(self.file, self.config, self.part)
        if self.weights is None:
            spread_out(self.config)
        return super()._built()

    @cached_property
    def towers(self) -> BlipTowers:
        """The model with its tokenizer, loaded when it is first needed."""
        from gem.backbones.blip_loading import load_words
        from gem.backbones.blip_towers import BlipTowers
        from gem.device import DTYPES

        words = load_words(self, original=self.file is not None)
        return BlipTowers(
            model=self.module,
            words=words,
            device=self.torch_device,
            dtype=DTYPES[self.precision],
            positions=self.positions,
            max_length=self.max_length,
        )

    @cached_property
    def shape(self) -> TowerShape:
        """Sizes of the image tower; neither the model nor the package is needed to know them."""
        from gem.backbones.blip_sizes import shape_of

        return shape_of(self)

    @property
    def mean(self) -> tuple[float, float, float]:
        """Channel means that the model expects removed: those of CLIP."""
        return (0.48145466, 0.4578275, 0.40821073)

    @property
    def std(self) -> tuple[float, float, float]:
        """Channel deviations that the model expects divided out: those of CLIP."""
        return (0.26862954, 0.26130258, 0.27577711)

    @cached_property
    def provenance(self) -> Provenance:
        """Model and weights; reads the weights' files, but builds no model."""
        from gem.hub.files import provenance_of
        from gem.hub.hashes import sha256

        random = self.weights is None or self.file is not None
        found = provenance_of(self.model, self.folder, random=random, seed=self.seed)
        if self.file is None:
            return found
        return Provenance(found.model, self.file.name, sha256(self.file), found.config)

    @property
    def text_key(self) -> tuple[str | bool | int | None, ...] | None:
        """Model and weights by their hashes, precision, kind of device, longest text."""
        if self.provenance.random:
            return None
        device, found = self.torch_device.type, self.provenance
        kind = (self.precision, device, self.max_length)
        return ("blip", self.model, *kind, found.sha256, found.config)

    def unload(self) -> None:
        """Forget the loaded model; it is loaded again when it is needed."""
        for name in ("towers", "module"):
            vars(self).pop(name, None)

    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """One pass over normalised images, of which the last ``keep`` blocks are kept."""
        return self.towers.trace(images, keep)

    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """Unit-length text embeddings, float32."""
        return self.towers.embed(prompts)
