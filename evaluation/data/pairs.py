"""Data sets that are folders of images and label maps, paired by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.data.card import VOID, Card, Stored, load_card
from evaluation.data.encoding import Encoding
from evaluation.data.mask_files import check_mask_size, read_mask
from evaluation.data.on_disk import (
    Missing,
    Pattern,
    check_files,
    check_some,
    list_folder,
    list_path,
    read_list,
)
from evaluation.data.sample import Sample
from gem.options import options

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Integer

EVIDENCE = 16  # masks that are looked at before another encoding is believed


@options
class Pairs:
    """Images and masks under one root, listed by a split file of ids.

    dataset: the name of the card.
    root: the folder that holds the official layout, e.g. the parent of ``VOCdevkit``.
    image, mask: paths relative to the root, with ``{id}``. A mask belongs to the stored pixels of
        its image: EXIF orientation is ignored.
    listing: the split file, one id a line, relative to the root or one of this project
        (``datasets/splits/...``); null takes every mask in the folder
        (then ``{id}`` is once in ``mask``).
    encoding: how the masks store labels: ``official`` as the card says, ``train_ids`` as other
        tools convert them, ``labels`` as the labels themselves with 255 for void.
    missing: whether listed samples without files are an error or left out.
    """

    dataset: str
    root: str
    image: Pattern
    mask: Pattern
    listing: str | None = None
    encoding: Stored = "official"
    missing: Missing = "refuse"

    @property
    def card(self) -> Card:
        """The data set's card."""
        return load_card(self.dataset)

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """Ids of the whole split. Raises if the listing is missing or empty."""
        if self.listing is None:
            return list_folder(self.root, self.mask)
        return read_list(self.root, self.listing)

    @cached_property
    def present(self) -> tuple[str, ...]:
        """The listed ids whose image and mask are there."""
        return tuple(
            name
            for name in self.listed
            if self.image_path(name).is_file() and self.mask_path(name).is_file()
        )

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids that are evaluated, in the order of the split. Raises if there are none."""
        return self.listed if self.missing == "refuse" else check_some(self, self.present)

    def check(self, ids: Sequence[str]) -> None:
        """Raise if an image or a mask is missing, or if the masks are not in the other encoding."""
        images = [self.image_path(name) for name in ids]
        check_files({"image": images, "mask": [self.mask_path(name) for name in ids]})
        if self.encoding == "train_ids":
            check_train_ids([self.mask_path(name) for name in ids[:EVIDENCE]])

    def __getitem__(self, sample_id: str) -> Sample:
        """Read one pair. Raises ValueError if it is broken, does not match or is mislabelled."""
        from gem.pixels import read_image

        image = read_image(self.image_path(sample_id))
        path = self.mask_path(sample_id)
        truth = read_mask(path)
        check_mask_size(truth, image, what=f"mask {path.name}")
        labels = self._encoding.decode(truth, name=path.name, hint=self._hint(truth))
        return Sample(id=sample_id, image=image, truth=labels)

    def image_path(self, sample_id: str) -> Path:
        """The file of an image."""
        return Path(self.root) / self.image.format(id=sample_id)

    def mask_path(self, sample_id: str) -> Path:
        """The file of a mask."""
        return Path(self.root) / self.mask.format(id=sample_id)

    def files(self, ids: Sequence[str]) -> Iterator[Path]:
        """Every file that these samples are read from, the list included."""
        if self.listing:
            yield list_path(self.root, self.listing)
        for name in ids:
            yield from (self.image_path(name), self.mask_path(name))

    @cached_property
    def _encoding(self) -> Encoding:
        return self.card.encoding(self.encoding)

    def _hint(self, stored: Integer[np.ndarray, "y x"]) -> str:
        """What to try for ids that only the card's other encoding knows."""
        other = self.card.train_ids
        if self.encoding != "official" or other is None or not other.knows(int(stored.max())):
            return ""
        return f"; dataset.encoding=train_ids reads {other.expected}"


def check_train_ids(paths: Sequence[Path]) -> None:
    """Raise ValueError if no mask has a 255: unlabelled pixels are 255 where ids start at 0.

    The encodings of Pascal Context (0 = background, 1..59 and 0..58, 255 = none) and of ADE20K
    cannot be distinguished by the range of a single mask.
    """
    if paths and not any((read_mask(path) == VOID).any() for path in paths):
        raise ValueError(
            f"dataset.encoding=train_ids: none of {len(paths)} masks, the first {paths[0].name}, "
            f"has a {VOID}, so they look like the official encoding"
        )
