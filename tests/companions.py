"""A tiny vision transformer of timm in a folder: 3 blocks, patches of 4, trained on 6 x 6."""

import json

from conftest import roughen
from safetensors.torch import save_file

from gem.backbones import TimmVit

ARGS = {"img_size": 24, "patch_size": 4, "embed_dim": 32, "depth": 3, "num_heads": 4}
STATISTICS = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]}


def write_folder(folder, architecture="vit_tiny_patch16_224", statistics=STATISTICS, **changes):
    """A model folder as timm reads it; ``changes`` go into the arguments of the tower."""
    config = {
        "architecture": architecture,
        "num_classes": 0,
        "pretrained_cfg": {**statistics, "num_classes": 0},
        "model_args": ARGS | changes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def write_companion(folder, **changes):
    """The same with weights in which no part is 0 or 1 by its init."""
    write_folder(folder, **changes)
    model = TimmVit(model=str(folder), device="cpu", seed=4).tower.model
    roughen(model)
    save_file(model.state_dict(), folder / "model.safetensors")
    return folder


def companion_of(folder, **changes):
    options = {"model": str(folder), "weights": "embedded", "device": "cpu"}
    return TimmVit(**options | changes)
