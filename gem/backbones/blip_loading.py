"""Weights and words of BLIP: the hub's, those of the original release, or random ones."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from gem.backbones.known import load_open_clip
from gem.hub.files import WORDS, find_words
from gem.hub.models import library, quiet, random_model
from gem.hub.stand_in_words import stand_in_tokenizer

if TYPE_CHECKING:
    from gem.hub.model import HubModel

BERT = "bert-base-uncased"
WAY_OUT = "give backbone.model=FOLDER, which has the model's config.json and BERT's vocab.txt"
SPREAD = 0.02  # as the text encoder begins, and as all of this model did in training
ORIGINAL = "the original BLIP"
KEPT = ("visual_encoder.", "text_encoder.", "vision_proj.", "text_proj.", "itm_head.")
POSITIONS = "vision_model.embeddings.position_embedding"
BLOCK, LAYER = r"^visual_encoder\.blocks\.(\d+)\.", r"vision_model.encoder.layers.\1."
NAMES = (
    (r"^visual_encoder\.cls_token$", "vision_model.embeddings.class_embedding"),
    (r"^visual_encoder\.pos_embed$", POSITIONS),
    (r"^visual_encoder\.patch_embed\.proj\.", "vision_model.embeddings.patch_embedding."),
    (BLOCK + r"norm([12])\.", LAYER + r"layer_norm\2."),
    (BLOCK + r"attn\.qkv\.", LAYER + "self_attn.qkv."),
    (BLOCK + r"attn\.proj\.", LAYER + "self_attn.projection."),
    (BLOCK + r"mlp\.", LAYER + "mlp."),
    (r"^visual_encoder\.norm\.", "vision_model.post_layernorm."),
)
"""Names of tensors in files of the original release, and what they are called in transformers."""


def spread_out(config: Any) -> None:
    """Let random weights of the image tower differ: the library begins with 1e-10 times noise."""
    vision = config.vision_config
    vision.initializer_range = max(vision.initializer_range, SPREAD)


def load_original(path: Path, config: Any, part: str) -> nn.Module:
    """A model with the weights of a file of the original release, float32. No pickled code is run.

    The file says for which size of images it has position embeddings. Momentum copies, queues, the
    decoder and what else training kept are left out. Raises ValueError, naming the file, for one
    that cannot be read, is of another architecture, or holds numbers that are not finite.
    """
    load_open_clip()  # before others load it as a whole
    from gem.backbones.fitting import check_state
    from gem.backbones.state_dict import read_state

    claim = f"{path} does not hold {ORIGINAL} of these sizes"
    state = renamed(read_state(path))
    if POSITIONS in state:
        config.vision_config.image_size = _trained_side(state[POSITIONS], config, claim)
    model = random_model("BlipForImageTextRetrieval", config, 0, part)
    check_state(model, state, path, claim, part)
    model.load_state_dict(state)
    return model


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of both towers, their projections and the head of matching, by their new names.

    Those of the text encoder are called the same, but for the numbers of its places, which are no
    weights.
    """
    kept = {
        key: value
        for key, value in state.items()
        if key.startswith(KEPT) and not key.endswith(".position_ids")
    }
    return {_renamed(key): value for key, value in kept.items()}


def _renamed(key: str) -> str:
    for pattern, name in NAMES:
        key = re.sub(pattern, name, key)
    return key


def _trained_side(positions: Tensor, config: Any, claim: str) -> int:
    """The side in pixels of the images that position embeddings are for: the class and a square."""
    rows = positions.shape[1] if positions.ndim == 3 else 0
    side = math.isqrt(max(rows - 1, 0))
    if side == 0 or side**2 + 1 != rows:
        raise ValueError(
            f"{claim}: visual_encoder.pos_embed has the shape {tuple(positions.shape)}, expected "
            "one row for the class and those of a square grid of patches"
        )
    return int(side * config.vision_config.patch_size)


def load_words(model: HubModel, *, original: bool) -> Any:
    """BERT's tokenizer: of the model's folder, of the hub, or one that stands in for it.

    Where no folder has words, the hub is asked for those of an ``original`` file of weights, and a
    stand-in is taken for random ones. Raises FileNotFoundError, ValueError or ConnectionError.
    """
    folder = model.folder
    if folder is None or not any((folder / name).is_file() for name in WORDS):
        if model.weights is None:
            return stand_in_tokenizer(min(model.config.text_config.vocab_size, 30522), model.part)
        if not original:
            raise FileNotFoundError(
                f"{model.part}.model={folder}: the folder has no tokenizer.json or vocab.txt"
            )
        folder = find_words(BERT, model.part, WAY_OUT)
    with quiet(model.part):
        try:
            return library(model.part).BertTokenizer.from_pretrained(
                str(folder), local_files_only=True
            )
        except Exception as error:  # broken files lead the library to any
            said = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"no tokenizer can be read of {folder}: {said[:300]}") from error
