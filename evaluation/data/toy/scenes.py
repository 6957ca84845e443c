"""Seeded drawn scenes with exact masks: data that needs no download and no licence.

A scene is a pure function of its seed and its size; the same seed at another size is the same
scene. Objects are filled at three times the size: the image is the average of each 3 x 3
block and the mask is its centre, so every label is exact and follows what hides what.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from evaluation.data.toy.backdrops import BACKDROPS, draw_backdrop, smooth_noise
from evaluation.data.toy.captions import caption_words
from evaluation.data.toy.objects import KINDS, object_parts, usual_colours
from evaluation.data.toy.outlines import COLOURS, Colour, Paint, Point, mix
from evaluation.data.toy.seeds import EVAL, TRAIN, TUNE

__all__ = ["EVAL", "KINDS", "TRAIN", "TUNE", "Scene", "draw_scene", "vocabulary_words"]

_FINER = 3
_PAPER: Colour = (238, 235, 226)
_COUNT_SHARES = (0.3, 0.34, 0.22, 0.14)
_RADII = ((0.28, 0.46), (0.22, 0.36), (0.19, 0.3), (0.17, 0.26))


@dataclass(frozen=True)
class Scene:
    """A drawn image and all that is known of it.

    `image` is uint8 [H, W, 3]; `mask` is uint8 [H, W] with 0 for background and k for the
    k-th of `KINDS`, counted from one; `kinds` are the kinds in the mask, in label order, and
    `colours` the names of their main colours; `backdrop` is one of `BACKDROPS`.
    """

    image: np.ndarray
    mask: np.ndarray
    kinds: tuple[str, ...]
    colours: tuple[str, ...]
    backdrop: str


@dataclass(frozen=True)
class _Placed:
    """One object on the unit square: centre, half-width, angle in radians, mirrored or not."""

    kind: str
    x: float
    y: float
    radius: float
    angle: float
    mirror: int
    colours: tuple[str, str]
    hues: tuple[Colour, Colour]

    def corner(self, point: Point, scale: int) -> tuple[int, int]:
        """A corner of the object's unit square as a pixel on a canvas `scale` wide."""
        x, y = point[0] * self.mirror * self.radius, point[1] * self.radius
        turn_x = x * math.cos(self.angle) - y * math.sin(self.angle)
        turn_y = x * math.sin(self.angle) + y * math.cos(self.angle)
        # Whole pixels, so that a last bit of a sine cannot move an edge.
        return round((self.x + turn_x) * scale), round((self.y + turn_y) * scale)


def _vary(rng: np.random.Generator, colour: Colour) -> Colour:
    """A named colour as one object happens to have it."""
    red, green, blue = (
        int(min(255, max(0, c + s))) for c, s in zip(colour, rng.integers(-22, 23, 3), strict=True)
    )
    shade = float(rng.uniform(-0.25, 0.2))
    return mix((red, green, blue), (255,) * 3 if shade > 0 else (0, 0, 0), abs(shade))


def _spot(
    rng: np.random.Generator, radius: float, taken: list[_Placed]
) -> tuple[float, float, float]:
    """A centre that hides no earlier object whole, and the radius, shrunk where it must be."""
    for attempt in range(60):
        radius *= 0.97 if attempt > 8 else 1
        edge = 0.8 * radius
        x, y = (float(v) for v in rng.uniform(edge, 1 - edge, 2))
        if all(math.hypot(x - t.x, y - t.y) > 0.78 * (radius + t.radius) for t in taken):
            break
    return x, y, radius


def _colours(rng: np.random.Generator, kind: str) -> tuple[str, str]:
    """Names of two different colours, six times in seven the usual ones of the kind."""
    main, accent = usual_colours(kind)
    if rng.random() < 1 / 7:
        main = accent = list(COLOURS)
    first = main[int(rng.integers(len(main)))]
    others = [name for name in accent if name != first] or ["white"]
    return first, others[int(rng.integers(len(others)))]


def _place(rng: np.random.Generator) -> list[_Placed]:
    """The objects of one scene, back to front."""
    count = 1 + int(rng.choice(4, p=_COUNT_SHARES))
    placed: list[_Placed] = []
    for label in rng.choice(len(KINDS), count, replace=False):
        kind = KINDS[int(label)]
        x, y, radius = _spot(rng, float(rng.uniform(*_RADII[count - 1])), placed)
        main, accent = _colours(rng, kind)
        placed.append(
            _Placed(
                kind=kind,
                x=x,
                y=y,
                radius=radius,
                angle=float(rng.uniform(-0.45, 0.45)),
                mirror=1 if rng.random() < 0.5 else -1,
                colours=(main, accent),
                hues=(_vary(rng, COLOURS[main]), _vary(rng, COLOURS[accent])),
            )
        )
    return placed


def _fill(canvas: Image.Image, placed: list[_Placed]) -> np.ndarray:
    """Draws the objects on `canvas` in place; returns their labels at its size."""
    labels = Image.new("L", canvas.size, 0)
    pen, stamp = ImageDraw.Draw(canvas), ImageDraw.Draw(labels)
    for thing in placed:
        for part in object_parts(thing.kind, Paint(*thing.hues)):
            corners = [thing.corner(c, canvas.width) for c in part.corners]
            pen.polygon(corners, fill=part.colour)
            stamp.polygon(corners, fill=KINDS.index(thing.kind) + 1)
    return np.asarray(labels)


def draw_scene(seed: int, *, size: int) -> Scene:
    """The scene of `seed`, `size` x `size` pixels (at least 16)."""
    if size < 16:
        raise ValueError(f"a scene must be at least 16 pixels wide, got size={size}")
    rng = np.random.default_rng(seed)
    placed = _place(rng)
    backdrop = BACKDROPS[int(rng.integers(len(BACKDROPS)))]
    hues = list(COLOURS.values())
    base, other = (
        mix(_vary(rng, hues[int(i)]), _PAPER, float(rng.uniform(0.2, 0.55)))
        for i in rng.choice(len(hues), 2)
    )
    canvas = draw_backdrop(rng, backdrop, colours=(base, other), size=size * _FINER)
    labels = _fill(canvas, placed)
    mask = np.ascontiguousarray(labels[_FINER // 2 :: _FINER, _FINER // 2 :: _FINER])
    kinds = tuple(KINDS[k - 1] for k in np.unique(mask) if k)
    main = {thing.kind: thing.colours[0] for thing in placed}
    colours = tuple(main[kind] for kind in kinds)
    return Scene(_develop(rng, canvas), mask, kinds, colours, backdrop)


def _develop(rng: np.random.Generator, canvas: Image.Image) -> np.ndarray:
    """The finished image: averaged down, in an uneven light, with the grain of paper."""
    small = np.asarray(canvas.reduce(_FINER), dtype=np.float32)
    light = 1 + 0.07 * smooth_noise(rng, 4, len(small)) + 0.03 * smooth_noise(rng, 40, len(small))
    return np.clip(np.rint(small * light[..., None]), 0, 255).astype(np.uint8)


def vocabulary_words() -> list[str]:
    """Every word that a caption can use, sorted."""
    return caption_words(KINDS, tuple(COLOURS), BACKDROPS)
