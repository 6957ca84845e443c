"""What the tiny model learns from: drawn scenes in memory, and batches of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.data.toy.backdrops import BACKDROPS
from evaluation.data.toy.captions import write_caption
from evaluation.data.toy.outlines import COLOURS
from evaluation.data.toy.scenes import KINDS, TRAIN, draw_scene
from gem.backbones.word_tokenizer import WordTokenizer

SIZE = 96
"""Side of the drawn training scenes, and of the model's own grid of position embeddings."""

BACKDROP_NAMED, BACKDROP_ALONE = 0.3, 0.08
"""Shares of captions that name the backdrop beside objects, and alone."""

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
_PHASES = (
    Phase(0.3, (48,), 1.0),
    Phase(0.9, (64, 64, 64, 96), 0.5),
    Phase(1.0, (64, 64, 96), 1.0),
)


@dataclass(frozen=True)
class Scenes:
    """One process's share: images uint8 [n, 3, S, S] and what is known of them.

    colours [n, kinds]: the place of each kind's main colour in `COLOURS`, -1 where it is absent.
    backdrops [n]: places in `BACKDROPS`.
    """

    images: Tensor
    colours: np.ndarray
    backdrops: np.ndarray

    def facts(self, rows: np.ndarray) -> np.ndarray:
        """A bit for each kind that is there, and one for the backdrop, int64 [len(rows)]."""
        there = (self.colours[rows] >= 0) << np.arange(len(KINDS))
        return np.asarray(there.sum(1) + (1 << len(KINDS) + self.backdrops[rows].astype(np.int64)))


@dataclass(frozen=True)
class Batch:
    """Normalised images [B, 3, S, S], captions as tokens [B, T], and what is true, [B, B].

    ``true[i, j]`` is 1 where all that caption j names is in image i.
    """

    images: Tensor
    tokens: Tensor
    true: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same, there."""
        return Batch(self.images.to(device), self.tokens.to(device), self.true.to(device))


def render(count: int, *, rank: int, processes: int, cache: Path | None) -> Scenes:
    """`count` training scenes, every `processes`-th from the `rank`-th on.

    Drawn, or read from the folder `cache` if they were drawn before.
    """
    file = cache / f"scenes-{rank}-of-{processes}-{count}.npz" if cache else None
    if file and file.exists():
        stored = np.load(file)
        return Scenes(torch.from_numpy(stored["images"]), stored["colours"], stored["backdrops"])
    images = np.empty((count, 3, SIZE, SIZE), np.uint8)
    colours, backdrops = np.full((count, len(KINDS)), -1, np.int8), np.empty(count, np.int8)
    names = list(COLOURS)
    for i in range(count):
        scene = draw_scene(TRAIN[rank + i * processes], size=SIZE)
        images[i] = scene.image.transpose(2, 0, 1)
        for kind, colour in zip(scene.kinds, scene.colours, strict=True):
            colours[i, KINDS.index(kind)] = names.index(colour)
        backdrops[i] = BACKDROPS.index(scene.backdrop)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, images=images, colours=colours, backdrops=backdrops)
    return Scenes(torch.from_numpy(images), colours, backdrops)


def describe(rng: np.random.Generator, colours: np.ndarray, backdrop: int) -> tuple[str, int]:
    """A caption of some of what a scene shows, as people write them, and its facts as bits.

    Any number of the kinds, the backdrop in three of ten, and now and then the backdrop alone.
    Were all kinds named always, "a fish" would mean "and nothing else": much background.
    """
    kinds = np.flatnonzero(colours >= 0)
    alone = rng.random() < BACKDROP_ALONE
    count = 0 if alone else int(rng.integers(len(kinds))) + 1
    named = rng.choice(kinds, count, replace=False)
    where = BACKDROPS[backdrop] if alone or rng.random() < BACKDROP_NAMED else None
    text = write_caption(
        rng,
        [KINDS[kind] for kind in named],
        colours=[list(COLOURS)[colours[kind]] for kind in named],
        backdrop=where,
    )
    facts = sum(1 << int(kind) for kind in named)
    return text, facts + (1 << len(KINDS) + int(backdrop) if where else 0)


def phase_at(done: float) -> Phase:
    """What is seen when a share `done` (0..1) of the run is over."""
    return next(phase for phase in _PHASES if done <= phase.until)


def draw_batch(
    scenes: Scenes,
    tokenizer: WordTokenizer,
    rng: np.random.Generator,
    *,
    batch: int,
    size: int,
) -> Batch:
    """Scenes at `size` pixels, half of them mirrored, each with a caption written now."""
    rows = rng.choice(len(scenes.images), batch, replace=False)
    images = scenes.images[rows].float() / 255
    if size != images.shape[-1]:
        images = F.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    mirrored = torch.from_numpy(rng.random(batch) < 0.5)
    images[mirrored] = images[mirrored].flip(-1)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    told = [describe(rng, scenes.colours[row], scenes.backdrops[row]) for row in rows]
    captions, named = zip(*told, strict=True)
    missed = np.array(named)[None] & ~scenes.facts(rows)[:, None]
    true = torch.from_numpy((missed == 0).astype(np.float32))
    return Batch((images - mean) / std, tokenizer(list(captions)), true)
