"""The tiny model: its shape, its folder, and how it starts."""

import json
import math
from pathlib import Path

import torch
from open_clip import CLIP
from safetensors.torch import load_file, save_file
from scenes import MEAN, SIZE, STD
from torch import Tensor

from gem.backbones.word_tokenizer import WordTokenizer

CONTEXT = 24
GAIN = 4.0
LOGIT_SCALE = 100.0  # where CLIP's training ended, and that of the paper's protocol


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
    # The sigmoid loss has a bias; where it and the scale start matters little (SigLIP, Sec. 3.2).
    start = {"init_logit_scale": math.log(10), "init_logit_bias": -2.0}
    model = {"embed_dim": 128, "vision_cfg": vision, "text_cfg": text, **start}
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
def initialise(model: CLIP) -> None:
    """Starts the gains of each block's first norm at `GAIN`, and halves the weights behind it.

    GEM's adaptive temperature (Eq. 8) is the inverse of the token norm between the two. A training
    as short as this leaves it where it starts, and at 1 the self-self attention of so narrow a
    model is too soft to tell patches apart.
    """
    for block in model.visual.transformer.resblocks:
        block.ln_1.weight.fill_(GAIN)
        block.attn.in_proj_weight.div_(2)


def load(model: CLIP, folder: Path) -> None:
    """The weights of another folder, in place."""
    stored = load_file(folder / "model.safetensors")
    model.load_state_dict({name: value.float() for name, value in stored.items()})


@torch.no_grad()
def narrow(model: CLIP, seen: Tensor, read: Tensor, *, scale: float) -> None:
    """Makes cosines smaller by `scale` / `LOGIT_SCALE`, and the model's logit scale the latter.

    seen, read [n, E]: features of some images and texts, not normalised. One constant vector is
    added to all features of images, by the bias of their last norm, along a direction that texts do
    not use: images then lie in a narrow cone, as CLIP's do (Liang et al. 2022, "Mind the gap"), and
    words keep their order in every patch.
    """
    projection = model.visual.proj
    used = read / read.norm(dim=-1).mean()
    # Least used by texts, and reached by a bias that float16 holds well.
    costs = used.T @ used / len(read) + 1e-7 * torch.linalg.inv(projection.T @ projection)
    unused = torch.linalg.eigh(costs).eigenvectors[:, 0]
    length = seen.norm(dim=-1).mean() * math.sqrt((LOGIT_SCALE / scale) ** 2 - 1)
    model.visual.ln_post.bias += torch.linalg.solve(projection.T, length * unused)
    model.logit_scale.fill_(math.log(LOGIT_SCALE))
