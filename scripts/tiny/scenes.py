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

SURE, UNSURE = 0.03, 0.002
"""Shares of a picture that a kind covers: from the first on it is there, under the second not."""


@dataclass(frozen=True)
class View:
    """A square cut out of a scene, in pixels; how large it is seen; which share of patches is kept.

    share: of the steps.
    """

    cut: int
    size: int
    kept: float
    share: float


# Three of five steps see parts of scenes. Many parts show nothing but background, and must be none
# of the kinds; others show half an object, and no patch can be relied on to keep what belongs to
# another. Patches of whole scenes are dropped (Li et al. 2023, FLIP): twice as many in the time.
VIEWS = (
    View(SIZE, 64, 0.5, 0.35),
    View(SIZE, SIZE, 0.5, 0.05),
    View(72, 48, 1.0, 0.2),
    View(48, 32, 1.0, 0.3),
    View(36, 24, 1.0, 0.1),
)
WHOLE = 0.85  # of the run; then no patch is dropped


@dataclass(frozen=True)
class Scenes:
    """One process's share: images uint8 [n, 3, S, S], masks [n, S, S], and what is known of them.

    colours [n, kinds]: the place of each kind's main colour in `COLOURS`, -1 where it is absent.
    backdrops [n]: places in `BACKDROPS`.
    """

    images: np.ndarray
    masks: np.ndarray
    colours: np.ndarray
    backdrops: np.ndarray

    def cut(self, rows: np.ndarray, side: int, rng: np.random.Generator) -> "Cut":
        """A square of `side` pixels somewhere in each of the scenes `rows`."""
        spots = rng.integers(0, self.images.shape[-1] - side + 1, (len(rows), 2))
        where = [(slice(x, x + side), slice(y, y + side)) for x, y in spots]
        masks = np.stack([self.masks[row, *spot] for row, spot in zip(rows, where, strict=True)])
        images = [self.images[row, :, *spot] for row, spot in zip(rows, where, strict=True)]
        shares = [np.bincount(mask.ravel(), minlength=len(KINDS) + 1) for mask in masks]
        return Cut(
            images=torch.from_numpy(np.stack(images)),
            shares=np.stack(shares) / side**2,
            colours=self.colours[rows],
            backdrops=self.backdrops[rows],
        )


@dataclass(frozen=True)
class Cut:
    """Parts of some scenes: images uint8 [n, 3, S, S], and what is known of them.

    shares [n, 1 + kinds]: of the pixels, the background's first. colours, backdrops as in `Scenes`.
    """

    images: Tensor
    shares: np.ndarray
    colours: np.ndarray
    backdrops: np.ndarray

    def facts(self, least: float) -> np.ndarray:
        """A bit for each kind that covers `least`, and one for the backdrop, int64 [n].

        A kind that shows and covers less may be named by nobody, or by somebody.
        """
        there = ((self.shares[:, 1:] >= least) << np.arange(len(KINDS))).sum(1)
        behind = 1 << len(KINDS) + self.backdrops.astype(np.int64)
        return np.asarray(there + np.where(self.shares[:, 0] >= least, behind, 0))


@dataclass(frozen=True)
class Batch:
    """Normalised images [B, 3, S, S], captions as tokens [B, T], and what is true, [B, B].

    ``true[i, j]`` is 1 where all that caption j names is in image i. ``counted[i, j]`` is 0 where
    some of it shows so little that nobody can say.
    """

    images: Tensor
    tokens: Tensor
    true: Tensor
    counted: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same, there."""
        parts = (self.images, self.tokens, self.true, self.counted)
        return Batch(*(part.to(device) for part in parts))


def render(count: int, *, rank: int, processes: int, cache: Path | None) -> Scenes:
    """`count` training scenes, every `processes`-th from the `rank`-th on.

    Drawn, or read from the folder `cache` if they were drawn before.
    """
    file = cache / f"scenes-{rank}-of-{processes}-{count}.npz" if cache else None
    if file and file.exists():
        return Scenes(**np.load(file))
    masks = np.empty((count, SIZE, SIZE), np.uint8)
    images = np.empty((count, 3, SIZE, SIZE), np.uint8)
    colours, backdrops = np.full((count, len(KINDS)), -1, np.int8), np.empty(count, np.int8)
    names = list(COLOURS)
    for i in range(count):
        scene = draw_scene(TRAIN[rank + i * processes], size=SIZE)
        images[i], masks[i] = scene.image.transpose(2, 0, 1), scene.mask
        for kind, colour in zip(scene.kinds, scene.colours, strict=True):
            colours[i, KINDS.index(kind)] = names.index(colour)
        backdrops[i] = BACKDROPS.index(scene.backdrop)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, images=images, masks=masks, colours=colours, backdrops=backdrops)
    return Scenes(images, masks, colours, backdrops)


def describe(
    rng: np.random.Generator, kinds: np.ndarray, *, colours: np.ndarray, backdrop: int
) -> tuple[str, int]:
    """A caption of some of what a picture shows, as people write them, and its facts as bits.

    Any number of the `kinds`, the backdrop in three of ten, and now and then, or where nothing else
    is to be seen, the backdrop alone. Were all kinds named always, "a fish" would mean "and nothing
    else": much background.
    """
    alone = not len(kinds) or rng.random() < BACKDROP_ALONE
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


def draw_batch(
    scenes: Scenes,
    tokenizer: WordTokenizer,
    rng: np.random.Generator,
    *,
    batch: int,
    view: View,
) -> Batch:
    """Parts of scenes, half of them mirrored, each with a caption written now."""
    rows = rng.choice(len(scenes.images), batch, replace=False)
    cut = scenes.cut(rows, view.cut, rng)
    images = cut.images.float() / 255
    if view.size != view.cut:
        images = F.interpolate(images, size=(view.size,) * 2, mode="bilinear", antialias=True)
    mirrored = torch.from_numpy(rng.random(batch) < 0.5)
    images[mirrored] = images[mirrored].flip(-1)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    told = [
        describe(rng, np.flatnonzero(shares[1:] >= SURE), colours=colours, backdrop=backdrop)
        for shares, colours, backdrop in zip(cut.shares, cut.colours, cut.backdrops, strict=True)
    ]
    captions, named = zip(*told, strict=True)
    sure, possible = (holds(np.array(named), cut.facts(least)) for least in (SURE, UNSURE))
    true, counted = (torch.from_numpy(one).float() for one in (sure, sure == possible))
    return Batch((images - mean) / std, tokenizer(list(captions)), true, counted)


def holds(named: np.ndarray, facts: np.ndarray) -> np.ndarray:
    """Whether all bits of ``named[j]`` are among those of ``facts[i]``, bool [i, j]."""
    return np.asarray((named[None] & ~facts[:, None]) == 0)
