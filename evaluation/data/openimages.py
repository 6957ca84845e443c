"""Data sets that are images and a table of points: OpenImages V7's point-level labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.data.card import Card, load_card
from evaluation.data.on_disk import Missing, Pattern, check_ids, check_root
from evaluation.data.sample import Points, Sample
from gem.options import options

if TYPE_CHECKING:
    from evaluation.data.openimages_csv import PointRows


@options
class PointLabels:
    """Images by id, and points that say of one class yes or no; those that are unsure are dropped.

    Benenson and Ferrari, From colouring-in to pointillism (2022). The classes are those that have
    points in the table, by their official names. Points belong to the stored pixels of an image,
    and EXIF orientation is ignored: the publisher's files are what a sensor saw, and it offers a
    turn for "the image and boxes" together (openimages/web/2018-05-17-rotation-information.html).

    dataset: the name of the card.
    root: the folder that holds everything else.
    points: the table ``oidv7-*-annotations-point-labels.csv``, relative to the root.
    classes: the table of names, ``oidv7-class-descriptions.csv``, relative to the root.
    image: relative to the root, with ``{id}``.
    bad_rows: whether rows with an unknown label, a coordinate outside [0, 1] or another answer
        than yes, no and unsure are an error or left out. missing: the same of images that are not
        there. What is left out is counted and named in the record.
    """

    dataset: str
    root: str
    points: str
    classes: str
    image: Pattern
    bad_rows: Missing = "refuse"
    missing: Missing = "refuse"

    @cached_property
    def card(self) -> Card:
        """The data set's card with the names of the classes that have points."""
        return dataclasses.replace(load_card(self.dataset), classes=self._rows.names)

    @property
    def listed(self) -> tuple[str, ...]:
        """Ids of all the images in the table, sorted."""
        return self._rows.ids

    @cached_property
    def present(self) -> tuple[str, ...]:
        """The ids whose image is there."""
        return tuple(name for name in self.listed if self.image_path(name).is_file())

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids that are evaluated. Raises ValueError if no image is there and all may be missing."""
        ids = self.listed if self.missing == "refuse" else self.present
        if not ids:
            raise ValueError(f"dataset.root={self.root}: {self._missing(self.listed)}")
        return ids

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out or counts twice, for the warnings of a record."""
        absent = sorted(set(self.listed) - set(self.ids))
        return (*self._rows.notes, *([f"{self._missing(absent)}; left out"] if absent else ()))

    def check(self, ids: Sequence[str]) -> None:
        """Raise FileNotFoundError if an image is missing: how many, and where the first is."""
        if absent := [name for name in ids if not self.image_path(name).is_file()]:
            raise FileNotFoundError(
                f"dataset.root={self.root}: {self._missing(absent)}; "
                "dataset.missing=skip leaves them out"
            )

    def __getitem__(self, sample_id: str) -> Sample:
        """Read one image and its points."""
        from gem.pixels import read_image

        image, rows, number = read_image(self.image_path(sample_id)), self._rows, self._number
        here = slice(*rows.starts[number[sample_id] :][:2].tolist())
        truth = Points(
            x=rows.x[here],
            y=rows.y[here],
            label=rows.label[here],
            positive=rows.positive[here],
            size=(image.height, image.width),
            number=number[sample_id],
        )
        return Sample(id=sample_id, image=image, truth=truth)

    def image_path(self, sample_id: str) -> Path:
        """The file of an image."""
        return Path(self.root) / self.image.format(id=sample_id)

    def files(self, ids: Sequence[str]) -> Iterator[Path]:
        """Every file that these samples are read from."""
        yield from (Path(self.root) / self.points, Path(self.root) / self.classes)
        yield from map(self.image_path, ids)

    def _missing(self, absent: Sequence[str]) -> str:
        row = self._rows.first[self._number[absent[0]]]
        return (
            f"{len(absent)} of {len(self.listed)} images of {Path(self.points).name} are missing; "
            f"the first is {self.image.format(id=absent[0])} (row {row})"
        )

    @cached_property
    def _number(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.listed)}

    @cached_property
    def _rows(self) -> PointRows:
        from evaluation.data.openimages_csv import read_points

        for needed in (self.points, self.classes):
            check_root(self.root, needed)
        root = Path(self.root)
        found = read_points(root / self.points, root / self.classes, bad_rows=self.bad_rows)
        check_ids(found.ids, str(root / self.points))
        return found
