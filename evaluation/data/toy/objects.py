"""The drawn kinds: each is a short list of coloured outlines in its own unit square."""

from collections.abc import Callable

from evaluation.data.toy.outlines import (
    COLOURS,
    GLASS,
    INK,
    WOOD,
    Paint,
    Part,
    box,
    dome,
    oval,
    ring,
    shape,
    spikes,
)


def _sun(p: Paint) -> list[Part]:
    face = [oval(x, -0.1, 0.07, 0.11, INK) for x in (-0.2, 0.2)]
    rays = spikes(12, 1.0, 0.66, p.shade)
    return [rays, oval(0, 0, 0.62, 0.62, p.main), *face, box(-0.2, 0.2, 0.2, 0.27, INK)]


def _tree(p: Paint) -> list[Part]:
    crown = [oval(x, y, 0.48, 0.44, p.main) for x, y in ((-0.4, -0.1), (0.4, -0.1), (0, -0.55))]
    fruit = [oval(x, y, 0.1, 0.1, p.accent) for x, y in ((-0.4, -0.1), (0.3, -0.2), (0, -0.6))]
    return [box(-0.14, 0, 0.14, 1, WOOD), oval(0, -0.15, 0.5, 0.42, p.shade), *crown, *fruit]


def _house(p: Paint) -> list[Part]:
    panes = [box(x, 0.1, x + 0.36, 0.42, GLASS) for x in (-0.62, 0.26)]
    roof = shape(p.accent, (-1, -0.1), (0, -0.9), (1, -0.1))
    chimney = box(0.4, -0.85, 0.62, -0.3, p.shade)
    walls, door = box(-0.8, -0.1, 0.8, 0.9, p.main), box(-0.16, 0.4, 0.16, 0.9, WOOD)
    return [chimney, walls, roof, *panes, door]


def _car(p: Paint) -> list[Part]:
    cabin = shape(p.shade, (-0.6, -0.05), (-0.38, -0.5), (0.35, -0.5), (0.62, -0.05))
    panes = [
        shape(GLASS, (-0.45, -0.08), (-0.3, -0.4), (-0.04, -0.4), (-0.04, -0.08)),
        shape(GLASS, (0.06, -0.08), (0.06, -0.4), (0.3, -0.4), (0.46, -0.08)),
    ]
    wheels = [
        oval(x, 0.4, r, r, c) for x in (-0.55, 0.55) for r, c in ((0.25, INK), (0.11, p.tint))
    ]
    body = shape(p.main, (-1, 0), (-0.9, -0.1), (0.85, -0.1), (1, 0.1), (1, 0.4), (-1, 0.4))
    return [cabin, *panes, body, box(0.86, 0.06, 1, 0.18, p.accent), *wheels]


def _fish(p: Paint) -> list[Part]:
    tail = shape(p.accent, (-0.45, 0), (-1, -0.5), (-0.86, 0), (-1, 0.5))
    fins = [shape(p.accent, (-0.2, 0.6 * s), (0.3, 0.3 * s), (-0.3, 0.25 * s)) for s in (-1, 1)]
    stripes = [oval(x, 0, 0.06, 0.34, p.shade) for x in (-0.15, 0.1)]
    eye = [oval(0.58, -0.1, 0.11, 0.11, (255, 255, 255)), oval(0.6, -0.1, 0.06, 0.06, INK)]
    return [tail, *fins, oval(0.18, 0, 0.75, 0.42, p.main), *stripes, *eye]


def _boat(p: Paint) -> list[Part]:
    sails = [
        shape(p.accent, (0.02, -0.95), (0.85, 0.2), (0.02, 0.2)),
        shape(p.tint, (-0.02, -0.7), (-0.02, 0.2), (-0.7, 0.2)),
    ]
    hull = shape(p.main, (-1, 0.32), (1, 0.32), (0.66, 0.85), (-0.66, 0.85))
    return [box(-0.05, -1, 0.05, 0.4, WOOD), *sails, hull, box(-0.86, 0.46, 0.86, 0.56, p.shade)]


def _flower(p: Paint) -> list[Part]:
    leaf = COLOURS["green"]
    stem = [
        box(-0.06, 0, 0.06, 1, leaf),
        oval(0.24, 0.68, 0.24, 0.1, leaf),
        oval(-0.24, 0.8, 0.24, 0.1, leaf),
    ]
    bloom = [*ring(6, 0.42, 0.27, p.main), oval(0, 0, 0.26, 0.26, p.accent)]
    raised = [Part(tuple((x, y - 0.3) for x, y in part.corners), part.colour) for part in bloom]
    return [*stem, *raised]


def _bird(p: Paint) -> list[Part]:
    legs = [box(x, 0.4, x + 0.06, 0.8, INK) for x in (-0.1, 0.14)]
    beak = shape(COLOURS["orange"], (0.75, -0.5), (1.05, -0.36), (0.75, -0.24))
    wing = shape(p.accent, (-0.65, -0.3), (0.25, -0.2), (0.1, 0.3), (-0.3, 0.25))
    tail = shape(p.shade, (-0.45, -0.05), (-1, -0.35), (-0.95, 0.1), (-0.4, 0.3))
    head = [oval(0.55, -0.4, 0.29, 0.29, p.main), oval(0.62, -0.46, 0.06, 0.06, INK)]
    return [*legs, tail, beak, oval(0, 0.1, 0.62, 0.42, p.main), *head, wing]


def _cat(p: Paint) -> list[Part]:
    ears = [shape(p.shade, (0.2 * s, -0.6), (0.55 * s, -1), (0.6 * s, -0.35)) for s in (-1, 1)]
    eyes = [oval(x, -0.4, 0.09, 0.12, p.accent) for x in (-0.24, 0.24)]
    pupils = [oval(x, -0.4, 0.035, 0.1, INK) for x in (-0.24, 0.24)]
    nose = shape(COLOURS["pink"], (-0.08, -0.22), (0.08, -0.22), (0, -0.12))
    tail = shape(p.shade, (0.4, 0.85), (0.95, 0.6), (0.85, 0.1), (1, 0.05), (1, 0.75), (0.5, 1))
    belly = [oval(0, 0.5, 0.55, 0.5, p.main), oval(0, 0.6, 0.28, 0.34, p.tint)]
    return [tail, *belly, *ears, oval(0, -0.35, 0.6, 0.45, p.main), *eyes, *pupils, nose]


def _mushroom(p: Paint) -> list[Part]:
    spots = [oval(x, y, 0.13, 0.11, p.tint) for x, y in ((-0.5, -0.2), (0, -0.5), (0.5, -0.22))]
    stem = shape((236, 222, 196), (-0.22, -0.1), (0.22, -0.1), (0.34, 0.9), (-0.34, 0.9))
    return [stem, oval(0, 0.02, 0.9, 0.14, p.shade), dome(0, 0, 0.95, 0.85, p.main), *spots]


def _umbrella(p: Paint) -> list[Part]:
    handle = [
        box(-0.05, -0.9, 0.05, 0.85, INK),
        box(-0.3, 0.76, 0.05, 0.86, INK),
        box(-0.3, 0.6, -0.2, 0.8, INK),
    ]
    panels = [dome(0, 0, r, 0.8, c) for r, c in ((0.98, p.main), (0.55, p.accent), (0.2, p.main))]
    return [*handle, *panels]


def _cloud(p: Paint) -> list[Part]:
    puffs = [
        (-0.55, 0.12, 0.4, 0.34),
        (0.55, 0.1, 0.42, 0.36),
        (-0.15, -0.15, 0.46, 0.44),
        (0.3, -0.08, 0.4, 0.36),
    ]
    base = oval(0, 0.25, 0.8, 0.28, p.shade)
    return [
        base,
        *(oval(x, y, rx, ry, p.main) for x, y, rx, ry in puffs),
        oval(-0.2, -0.25, 0.26, 0.2, p.tint),
    ]


def _star(p: Paint) -> list[Part]:
    return [spikes(5, 1.0, 0.42, p.main), spikes(5, 0.62, 0.26, p.tint)]


def _butterfly(p: Paint) -> list[Part]:
    wings = [
        oval(x * s, y, rx, ry, c)
        for s in (-1, 1)
        for x, y, rx, ry, c in (
            (0.4, 0.42, 0.32, 0.36, p.shade),
            (0.52, -0.28, 0.44, 0.46, p.main),
            (0.55, -0.3, 0.2, 0.22, p.accent),
        )
    ]
    feelers = [shape(INK, (0, -0.55), (0.3 * s, -1), (0.24 * s, -1)) for s in (-1, 1)]
    return [*wings, *feelers, oval(0, 0, 0.1, 0.66, INK)]


def _rocket(p: Paint) -> list[Part]:
    flame = [
        shape(COLOURS["orange"], (-0.24, 0.55), (0.24, 0.55), (0, 1.05)),
        shape(COLOURS["yellow"], (-0.12, 0.55), (0.12, 0.55), (0, 0.82)),
    ]
    fins = [
        shape(p.accent, (0.25 * s, 0.15), (0.62 * s, 0.5), (0.6 * s, 0.75), (0.25 * s, 0.58))
        for s in (-1, 1)
    ]
    nose = shape(p.accent, (-0.3, -0.45), (-0.18, -0.8), (0, -1), (0.18, -0.8), (0.3, -0.45))
    window = [oval(0, -0.12, 0.2, 0.2, p.shade), oval(0, -0.12, 0.13, 0.13, GLASS)]
    return [*flame, *fins, nose, box(-0.3, -0.45, 0.3, 0.6, p.main), *window]


# How each kind is drawn, and its usual colours: main, then accent. Like things in photographs,
# kinds differ by colour often but not always.
_KINDS: dict[str, tuple[Callable[[Paint], list[Part]], str, str]] = {
    "sun": (_sun, "yellow orange", "red"),
    "tree": (_tree, "green", "red yellow"),
    "house": (_house, "brown white", "red brown"),
    "car": (_car, "red blue", "yellow"),
    "fish": (_fish, "orange blue", "yellow orange"),
    "boat": (_boat, "brown blue", "white red"),
    "flower": (_flower, "pink purple", "yellow"),
    "bird": (_bird, "blue green", "yellow"),
    "cat": (_cat, "gray orange", "green yellow"),
    "mushroom": (_mushroom, "red brown", "white"),
    "umbrella": (_umbrella, "purple red", "white pink"),
    "cloud": (_cloud, "white gray", "white"),
    "star": (_star, "yellow pink", "white"),
    "butterfly": (_butterfly, "purple orange", "blue pink"),
    "rocket": (_rocket, "white gray", "red blue"),
}

KINDS: tuple[str, ...] = tuple(_KINDS)
"""The drawn kinds; the label of a kind in a mask is its position here plus one."""


def object_parts(kind: str, paint: Paint) -> list[Part]:
    """The outlines of one object, back to front, in its unit square."""
    return _KINDS[kind][0](paint)


def usual_colours(kind: str) -> tuple[list[str], list[str]]:
    """The names of the main and of the accent colours that most objects of a kind have."""
    _, main, accent = _KINDS[kind]
    return main.split(), accent.split()
