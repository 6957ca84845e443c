"""The words that stand for the classes: a named family of the field, or a user's own."""

from __future__ import annotations

from dataclasses import field
from functools import cache
from pathlib import Path

import yaml

from evaluation.data.card import Card
from evaluation.places import CARDS
from gem.options import options
from gem.vocabulary import Vocabulary

FAMILIES = CARDS / "words"


@options
class Family:
    """A way of wording the classes of several data sets, from ``datasets/words/NAME.yaml``.

    words: by data set and class, the words where they are not the class's own name. background:
    by data set, the words that stand for the background; without them a threshold finds it.
    base: another family, whose words hold where this one has none of its own.
    """

    title: str
    base: str = ""
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    background: dict[str, str] = field(default_factory=dict)

    def words_of(self, dataset: str) -> dict[str, str]:
        """Class names and the words that replace them."""
        inherited = load_family(self.base).words_of(dataset) if self.base else {}
        return inherited | self.words.get(dataset, {})

    def background_of(self, dataset: str) -> str | None:
        """The words for the background; None if a threshold finds it."""
        inherited = load_family(self.base).background_of(dataset) if self.base else None
        return self.background.get(dataset, inherited)


@options
class Words:
    """The vocabulary of an evaluation.

    family: the name of a family. words: the user's own instead, one entry per class of the data
    set in its order, or a text file with one class a line; ``;`` separates words of one class.
    """

    family: str = "gem"
    words: tuple[str, ...] | str = ()

    def of(self, card: Card) -> Vocabulary:
        """The words for a data set. Raises ValueError if they do not fit its classes."""
        if self.words:
            own = self._own()
            names = card.classes or tuple(words.split(";")[0].strip() for words in own)
            if len(own) != len(names):
                raise ValueError(
                    f"vocabulary.words has {len(own)} classes, but {card.name} has {len(names)}"
                )
            return Vocabulary(names=names, words=own)
        if not card.classes:
            raise ValueError(
                f"dataset={card.name} has no classes of its own: say vocabulary.words=[cat,dog]"
            )
        family = load_family(self.family)
        changed = family.words_of(card.name)
        words = tuple(changed.get(name, name) for name in card.classes)
        behind = family.background_of(card.name) if card.background else None
        if behind is None:
            return Vocabulary(names=card.classes, words=words)
        return Vocabulary(names=card.labels, words=(behind, *words), background=True)

    def _own(self) -> tuple[str, ...]:
        if isinstance(self.words, tuple):
            return self.words
        path = Path(self.words)
        if not path.is_file():
            raise FileNotFoundError(
                f"vocabulary.words={self.words}: neither a list [cat,dog] nor a file"
            )
        return tuple(line for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


@cache
def load_family(name: str) -> Family:
    """The family of that name. Raises ValueError if there is none, listing those there are."""
    path = FAMILIES / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(family.stem for family in FAMILIES.glob("*.yaml")))
        raise ValueError(f"vocabulary.family={name}: no such family; there are {known}")
    return Family(**yaml.safe_load(path.read_text(encoding="utf-8")))
