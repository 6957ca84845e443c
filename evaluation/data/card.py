"""A data set's card: what it is, where it comes from, how its labels are called."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from gem.options import Flag, options
from gem.vocabulary import Vocabulary

CARDS = Path(__file__).parents[2] / "datasets"
VOID = 255


@options
class Card:
    """The facts of one data set, read from ``datasets/NAME.yaml``.

    classes: names in label order, without the background.
    words: what the text tower is asked for each class; the names themselves unless given.
    background: whether label 0 is everything else; classes then start at label 1.
    images: how many the official split has; null if there is no official one.
    """

    name: str
    title: str
    source: str
    licence: str
    citation: str
    layout: str
    split: str
    images: int | None
    background: Flag
    classes: tuple[str, ...]
    words: tuple[str, ...] = ()
    quirks: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ..., the background included."""
        return ("background", *self.classes) if self.background else self.classes

    @property
    def vocabulary(self) -> Vocabulary:
        """The classes and the words asked for them."""
        return Vocabulary(names=self.classes, words=self.words or self.classes)


@cache
def load_card(name: str) -> Card:
    """The card of that name. Raises ValueError if there is none, listing those there are."""
    path = CARDS / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(card.stem for card in CARDS.glob("*.yaml")))
        raise ValueError(f"there is no card {name}.yaml in {CARDS.name}/, which has: {known}")
    return Card(name=name, **yaml.safe_load(path.read_text(encoding="utf-8")))
