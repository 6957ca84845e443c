"""A data set's card: what it is, where it comes from, how its labels are called and stored."""

from __future__ import annotations

from collections import Counter
from functools import cache
from operator import itemgetter
from typing import Literal

import yaml
from pydantic import model_validator

from evaluation.data.encoding import VOID, Encoding, Ids, VoidIds, identity
from evaluation.places import CARDS
from gem.options import Flag, options

__all__ = ["VOID", "Archive", "Card", "Stored", "Task", "load_card", "task_of"]

Stored = Literal["official", "train_ids", "labels"]
Task = Literal["masks", "points", "none"]


@options
class Archive:
    """A file to download, as its publisher offers it.

    size: as a person reads it. hash: ``md5:`` or ``sha1:`` and the digest, where it is known.
    into: the folder, relative to the data root, that it is unpacked in, or that a file which is
    no archive is put in. members: only what begins with one of these is unpacked.
    login: it needs an account; it is unpacked if a person puts it into ``downloads/``.
    alternative: another form of what the others hold; used if it is there, never downloaded.
    """

    url: str
    size: str
    hash: str = ""
    into: str = "."
    members: tuple[str, ...] = ()
    login: Flag = False
    alternative: Flag = False

    @property
    def file_name(self) -> str:
        """The last part of the address."""
        return self.url.rsplit("/", 1)[-1]


@options
class Card:
    """The facts of one data set, read from ``datasets/NAME.yaml``.

    classes: names in label order, without the background.
    background: whether label 0 is everything else; classes then start at label 1.
    task: what the truth of an image is: a mask of labels, points, or nothing.
    images: how many the official split has; null if there is no official one.
    ids: the id by which the official masks store each label, background first; label i is stored
        as i unless given. void: all the ids that are void in them.
    train_ids: the other encoding found in the wild, if there is one.
    downloads, converter: see `evaluation.prepare`; the converter is a module.
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
    task: Task = "masks"
    quirks: str = ""
    ids: Ids = ()
    void: VoidIds = (VOID,)
    train_ids: Encoding | None = None
    downloads: tuple[Archive, ...] = ()
    converter: str = ""

    @model_validator(mode="after")
    def _counted(self) -> Card:
        name, count = max(Counter(self.labels).items(), key=itemgetter(1), default=("", 0))
        if count > 1 and self.task != "points":  # of points each class is asked for by itself
            raise ValueError(f"the card {self.name} has the label {name} twice")
        for name, ids in (("ids", self.ids), ("train_ids", self.train_ids and self.train_ids.ids)):
            if ids and len(ids) != len(self.labels):
                raise ValueError(
                    f"the card {self.name} has {len(self.labels)} labels but {len(ids)} {name}"
                )
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ..., the background included."""
        return ("background", *self.classes) if self.background else self.classes

    def encoding(self, stored: Stored) -> Encoding:
        """How masks store the labels: as published, as the card's train ids, or as themselves.

        Raises ValueError for ``train_ids`` of a data set that is published in one way only.
        """
        if stored == "labels":
            return identity(len(self.labels))
        if stored == "official":
            return Encoding(ids=self.ids or tuple(range(len(self.labels))), void=self.void)
        if self.train_ids is None:
            raise ValueError(f"dataset.encoding=train_ids: {self.name} has no such encoding")
        return self.train_ids


@cache
def load_card(name: str) -> Card:
    """The card of that name. Raises ValueError if there is none, listing those there are.

    Also if it is no YAML of the fields of a card.
    """
    path = CARDS / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(card.stem for card in CARDS.glob("*.yaml")))
        raise ValueError(f"there is no card {name}.yaml in {CARDS.name}/, which has: {known}")
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())
        raise ValueError(f"the card {name}.yaml cannot be read as YAML: {said}") from error
    if not isinstance(fields, dict) or not all(isinstance(key, str) for key in fields):
        raise ValueError(f"the card {name}.yaml holds no fields by name, which a card has")
    return Card(**(fields | {"name": name}))


def task_of(dataset: object) -> Task:
    """What the truth of a data set's images is, by its card. Touches no data.

    The whole card of some readers does: OpenImages' classes are those of its table.
    """
    name = getattr(dataset, "dataset", None)
    card: Card = load_card(name) if name else dataset.card  # type: ignore[attr-defined]
    return card.task
