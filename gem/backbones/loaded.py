"""A model of open_clip that the caller has built and loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gem.provenance import Provenance
from gem.tower import TowerShape

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from torch import Tensor

    from gem.backbones.tokenizer import Tokenizer
    from gem.backbones.towers import Towers
    from gem.trace import Trace

BYTE_PAIRS = 49408  # tokens of CLIP's own vocabulary


class LoadedClip:
    """A `gem.backbones.Backbone` over a model object of open_clip, which is never modified.

    It stays where it is, at the precision that it has, with the activation that it was built with.

    model: what ``open_clip.create_model`` or ``create_model_and_transforms`` returned.
    tokenizer: what ``open_clip.get_tokenizer`` returned. None will do for CLIP's own byte pairs.
    positions: as of `gem.OpenClip`.

    Raises TypeError or ValueError for a model that is none of open_clip's, or not supported.
    """

    def __init__(self, model: Any, tokenizer: Any = None, positions: Any = "antialias") -> None:
        from gem.backbones.known import load_open_clip

        load_open_clip()
        check_model(model)
        self._model = model
        self._tokenizer = tokenizer or own_tokenizer(model)
        self._positions = positions

    @cached_property
    def towers(self) -> Towers:
        """The model, as every model of open_clip is walked."""
        from gem.backbones.towers import Towers

        weight = next(self._model.visual.parameters())
        return Towers(
            model=self._model,
            tokenizer=self._tokenizer,
            provenance=self.provenance,
            device=weight.device,
            dtype=weight.dtype,
            positions=self._positions,
        )

    @property
    def shape(self) -> TowerShape:
        """Sizes of the image tower."""
        return self.towers.shape

    @property
    def mean(self) -> tuple[float, float, float]:
        """Channel means of the model's own preprocessing."""
        return self.towers.mean

    @property
    def std(self) -> tuple[float, float, float]:
        """Channel deviations of the model's own preprocessing."""
        return self.towers.std

    @property
    def torch_device(self) -> torch.device:
        """Where the model is."""
        return self.towers.device

    @cached_property
    def provenance(self) -> Provenance:
        """The hash of all parameters, since no file is known; the class stands for the name."""
        import torch

        digest = hashlib.sha256()
        for name, value in sorted(self._model.state_dict().items()):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
            flat = value.detach().cpu().contiguous().flatten()
            digest.update(flat.view(torch.uint8).numpy().tobytes())
        return Provenance(type(self._model).__name__, "given in Python", digest.hexdigest())

    @property
    def text_key(self) -> None:
        """Nothing is kept: a tokenizer that is given has no hash."""
        return

    def unload(self) -> None:
        """Nothing: the model is the caller's."""

    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """One pass over normalised images, of which the last ``keep`` blocks are kept."""
        return self.towers.trace(images, keep)

    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """Unit-length text embeddings, float32."""
        return self.towers.embed(prompts)


def check_model(model: Any) -> None:
    """Raise TypeError or ValueError, saying what it is, for a model that cannot be walked."""
    from open_clip import CLIP, CustomTextCLIP
    from open_clip.timm_model import TimmModel
    from open_clip.transformer import ResidualAttentionBlock, VisionTransformer

    if not isinstance(model, CLIP | CustomTextCLIP):
        raise TypeError(
            f"a model of the type {type(model).__name__}, expected a name, a folder, or a model of "
            "open_clip: what open_clip.create_model returns"
        )
    visual = model.visual
    if not isinstance(visual, VisionTransformer | TimmModel):
        raise TypeError(
            f"its image tower is a {type(visual).__name__}, expected a VisionTransformer of "
            "open_clip or one of timm"
        )
    if getattr(visual, "preprocess_cfg", None) is None:
        raise ValueError(
            "it does not say how images are normalised (visual.preprocess_cfg): build it with "
            "open_clip.create_model"
        )
    if isinstance(visual, VisionTransformer):
        blocks = visual.transformer.resblocks
        plain = all(type(block) is ResidualAttentionBlock for block in blocks)
        if visual.attn_pool is not None or not plain:
            raise ValueError("its image tower has blocks or a pooling that open_clip's CLIP lacks")


def own_tokenizer(model: Any) -> Tokenizer:
    """CLIP's byte pairs, for as many tokens as the model reads. Raises ValueError for others."""
    import open_clip

    if getattr(model, "vocab_size", None) != BYTE_PAIRS:
        raise ValueError(
            "its text tower does not read CLIP's byte pairs: give tokenizer=open_clip."
            "get_tokenizer(NAME)"
        )
    found: Tokenizer = open_clip.SimpleTokenizer(context_length=model.context_length)
    return found
