"""A small BLIP in the hub's own folder format, saved by the library itself."""

import torch
import transformers
from conftest import roughen
from small_words import save_words

from gem import Blip

VISION = {
    "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 5, "num_attention_heads": 4,
    "image_size": 40, "patch_size": 8, "initializer_range": 0.02,
}  # fmt: skip
TEXT = {
    "vocab_size": 1200, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "bos_token_id": 1100,
}  # fmt: skip


def small_model(**vision):
    """The library's model, in which no part is 0 or 1 by its init."""
    config = transformers.BlipConfig(
        text_config=TEXT, vision_config=VISION | vision, image_text_hidden_size=24
    )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(7)
        model = transformers.BlipForImageTextRetrieval(config).eval()
        roughen(model)
    return model


def write_blip(folder):
    """Config, weights and words, as the hub has them."""
    model = small_model()
    model.save_pretrained(folder)
    save_words(folder)
    return model


def blip_of(folder, **changes):
    return Blip(**{"model": str(folder), "device": "cpu"} | changes)
