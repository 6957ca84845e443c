"""Captions of drawn scenes, in the words of CLIP's 80 ImageNet templates and a few more."""

from collections.abc import Sequence

import numpy as np

_QUALITIES = (
    "bad", "good", "cropped", "bright", "dark", "blurry", "pixelated", "close-up",
    "low resolution", "black and white", "jpeg corrupted",
)  # fmt: skip
_TRAITS = ("hard to see", "clean", "dirty", "cool", "large", "small", "nice", "weird")
_ARTS = (
    "sculpture", "rendering", "tattoo", "drawing", "painting", "doodle", "sketch",
    "rendition", "picture", "photo",
)  # fmt: skip
_LOOSE_ARTS = ("graffiti", "art", "itap")
_STUFFS = ("embroidered", "plastic", "origami", "toy", "cartoon", "plushie")
_ARTICLES = ("a", "a", "the", "my", "one", "many")
_LINKS = ("and", "and", "next to", "with", "beside")
_OPENINGS = ("", "", "a photo of ", "a picture of ", "a drawing of ", "an image of ")


def article(noun: str) -> str:
    """`noun` with "a" or "an" before it."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _templated(rng: np.random.Generator, noun: str) -> str:
    """One object in the wording of one of the 80 templates."""
    thing = f"{_pick(rng, _ARTICLES)} {noun}"
    forms = (
        f"a {_pick(rng, _QUALITIES)} photo of {thing}.",
        f"a photo of {_pick(rng, _ARTICLES)} {_pick(rng, _TRAITS)} {noun}.",
        f"a {_pick(rng, _ARTS)} of {thing}.",
        f"{_pick(rng, _LOOSE_ARTS)} of {thing}.",
        f"{_pick(rng, ('a', 'the'))} {_pick(rng, _STUFFS)} {noun}.",
        f"{_pick(rng, ('a', 'the'))} {noun} in a video game.",
    )
    return forms[int(rng.integers(len(forms)))]


def _listed(rng: np.random.Generator, things: Sequence[str]) -> str:
    """Several objects in one sentence: "a sun and a tree", "a sun, a tree and a house"."""
    if len(things) == 2:
        return f"{things[0]} {_pick(rng, _LINKS)} {things[1]}"
    return f"{', '.join(things[:-1])} and {things[-1]}"


def write_caption(
    rng: np.random.Generator,
    kinds: Sequence[str],
    *,
    colours: Sequence[str],
    backdrop: str | None = None,
) -> str:
    """One caption that names every one of `kinds`, in any order, and the backdrop if given.

    `colours` holds one colour name a kind, named in one caption of five; `backdrop` is one
    adjective, and may stand alone. Half of the captions of a single object follow a CLIP
    template.
    """
    if not kinds:
        return f"{_pick(rng, _OPENINGS)}a {backdrop} background{_pick(rng, ('', '.'))}"
    if len(kinds) == 1 and backdrop is None and rng.random() < 0.4:
        return _pick(rng, (f"a photo of a {kinds[0]}.", f"a photo of a {kinds[0]}", kinds[0]))
    if len(kinds) == 1 and backdrop is None and rng.random() < 0.8:
        return _templated(rng, kinds[0])
    coloured = rng.random() < 0.2
    names = [f"{c} {k}" if coloured else k for c, k in zip(colours, kinds, strict=True)]
    things = [article(names[i]) for i in rng.permutation(len(names))]
    scene = things[0] if len(things) == 1 else _listed(rng, things)
    where = f" on a {backdrop} background" if backdrop else ""
    return f"{_pick(rng, _OPENINGS)}{scene}{where}{_pick(rng, ('', '.'))}"


def caption_words(
    kinds: Sequence[str], colours: Sequence[str], backdrops: Sequence[str]
) -> list[str]:
    """Every word that `write_caption` can use, sorted; hyphens split words."""
    fixed = "a an the of in on to and with next beside video game background photo image picture"
    groups = (*_QUALITIES, *_TRAITS, *_ARTS, *_LOOSE_ARTS, *_STUFFS, *_ARTICLES, fixed)
    text = " ".join((*groups, *kinds, *colours, *backdrops))
    return sorted(set(text.replace("-", " ").split()))
