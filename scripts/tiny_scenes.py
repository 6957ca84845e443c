"""What the tiny model learns from: drawn scenes in memory, and batches of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.data.scenes import KINDS, TRAIN, draw_scene
from gem.backbones.words import WordTokenizer

SIZE = 96
"""Side of the drawn training scenes, and of the model's own grid of position embeddings."""

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class Phase:
    """Until which share of the run, at which image sizes, and which share of patches is kept."""

    until: float
    sizes: tuple[int, ...]
    kept: float


# Small images first: a step at 48 pixels costs a third of one at 96 and teaches the words as
# well. Then half of the patches are dropped (Li et al. 2023, FLIP): twice as many scenes in the
# same time, and no patch can be relied on to keep what belongs to another.
_PHASES = (Phase(0.35, (48,), 1.0), Phase(0.9, (64, 64, 96), 0.5), Phase(1.0, (64, 96), 1.0))


@dataclass(frozen=True)
class Scenes:
    """One process's share: images uint8 [n, 3, S, S], tokens [n, T], and which kinds, [n]."""

    images: Tensor
    tokens: Tensor
    sets: Tensor


def render(
    tokenizer: WordTokenizer, count: int, *, rank: int, processes: int, cache: Path | None
) -> Scenes:
    """`count` training scenes, every `processes`-th from the `rank`-th on.

    Drawn, or read from the folder `cache` if they were drawn before.
    """
    file = cache / f"scenes-{rank}-of-{processes}-{count}.npz" if cache else None
    if file and file.exists():
        stored = np.load(file)
        images, captions, sets = stored["images"], stored["captions"].tolist(), stored["sets"]
        return Scenes(torch.from_numpy(images), tokenizer(captions), torch.from_numpy(sets))
    images, sets = np.empty((count, 3, SIZE, SIZE), np.uint8), np.empty(count, np.int64)
    captions = []
    for i in range(count):
        scene = draw_scene(TRAIN[rank + i * processes], size=SIZE)
        images[i] = scene.image.transpose(2, 0, 1)
        sets[i] = sum(1 << KINDS.index(kind) for kind in scene.kinds)
        captions.append(scene.caption)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, images=images, captions=np.array(captions), sets=sets)
    return Scenes(torch.from_numpy(images), tokenizer(captions), torch.from_numpy(sets))


def phase_at(done: float) -> Phase:
    """What is seen when a share `done` (0..1) of the run is over."""
    return next(phase for phase in _PHASES if done <= phase.until)


def draw_batch(
    scenes: Scenes, rng: np.random.Generator, *, batch: int, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalised images [B, 3, size, size], half of them mirrored, tokens [B, T] and sets [B]."""
    rows = torch.from_numpy(rng.choice(len(scenes.sets), batch, replace=False))
    images = scenes.images[rows].float() / 255
    if size != images.shape[-1]:
        images = F.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    mirrored = torch.from_numpy(rng.random(batch) < 0.5)
    images[mirrored] = images[mirrored].flip(-1)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    return (images - mean) / std, scenes.tokens[rows], scenes.sets[rows]
