"""The tiny model: its shape, its folder, and the scale of its norms."""

import json
from pathlib import Path

import torch
from open_clip import CLIP
from safetensors.torch import save_file
from tiny_scenes import MEAN, SIZE, STD

from gem.backbones.words import WordTokenizer

CONTEXT = 24


def model_config(vocab_size: int) -> dict[str, object]:
    """The open_clip configuration of the tiny model."""
    vision = {"image_size": SIZE, "layers": 6, "width": 128, "head_width": 8, "patch_size": 8}
    text = {
        "context_length": CONTEXT,
        "vocab_size": vocab_size,
        "width": 128,
        "heads": 4,
        "layers": 2,
    }
    seen = {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "squash"}
    model = {"embed_dim": 128, "vision_cfg": vision, "text_cfg": text}
    return {"model_cfg": model, "preprocess_cfg": seen}


def write_folder(out: Path, words: list[str]) -> None:
    """Writes the configuration and the vocabulary."""
    out.mkdir(parents=True, exist_ok=True)
    config = model_config(WordTokenizer(words, CONTEXT).vocab_size)
    (out / "vocabulary.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (out / "open_clip_config.json").write_text(
        json.dumps(config, indent=2) + "\n", encoding="utf-8"
    )


def save(model: CLIP, out: Path) -> None:
    """Writes the weights in half precision, all at once or not at all."""
    partial = out / "model.safetensors.partial"
    save_file({k: v.half().cpu().contiguous() for k, v in model.state_dict().items()}, partial)
    partial.chmod(0o644)  # safetensors writes for the owner alone
    partial.replace(out / "model.safetensors")


@torch.no_grad()
def sharpen(model: CLIP, gain: float) -> None:
    """Multiplies the gain of each block's first norm, and divides the next weights by it.

    The model computes the same as before (bit for bit if `gain` is a power of two), and so do
    methods that read q, k and v alone. GEM's adaptive temperature (Eq. 8) is taken from the norm
    of the tokens between the two, which training leaves where it was initialised: this puts
    1/tau in the range where it tells patches apart.
    """
    for block in model.visual.transformer.resblocks:
        block.ln_1.weight.mul_(gain)
        block.ln_1.bias.mul_(gain)
        block.attn.in_proj_weight.div_(gain)
