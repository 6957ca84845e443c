"""Data sets that are folders of images and label maps, paired by name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from evaluation.data.card import VOID, Card, load_card
from evaluation.data.sample import Sample
from gem.options import options

if TYPE_CHECKING:
    from jaxtyping import Integer

ID_MODES = {"P", "L", "I", "I;16"}


@options
class Pairs:
    """Images and masks under one root, listed by a split file of ids.

    root: the folder that holds the official layout, e.g. the parent of ``VOCdevkit``.
    listing: the split file, one id a line, relative to the root.
    image, mask: paths relative to the root, with ``{id}``.
    dataset: the name of the card.
    """

    dataset: str
    root: str
    listing: str
    image: str
    mask: str

    @property
    def card(self) -> Card:
        """The data set's card."""
        return load_card(self.dataset)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of the split, in its order. Raises if the listing is missing or empty."""
        path = self._path(self.listing)
        if not Path(self.root).is_dir():
            raise FileNotFoundError(f"dataset.root={self.root}: there is no such folder")
        if not path.is_file():
            raise FileNotFoundError(
                f"dataset.root={self.root} has no {self.listing}: the root is the folder that "
                f"holds {Path(self.listing).parts[0]}/"
            )
        ids = tuple(path.read_text(encoding="utf-8").split())
        if not ids:
            raise ValueError(f"{path}: the split is empty")
        return ids

    def check(self, ids: Sequence[str]) -> None:
        """Raise FileNotFoundError if an image or a mask is missing: how many, and the first."""
        for kind, pattern in (("image", self.image), ("mask", self.mask)):
            paths = [self._path(pattern, sample_id) for sample_id in ids]
            missing = [path for path in paths if not path.is_file()]
            if missing:
                raise FileNotFoundError(
                    f"{len(missing)} of {len(ids)} {kind}s are missing; the first is {missing[0]}"
                )

    def __getitem__(self, sample_id: str) -> Sample:
        """Read one pair. Raises ValueError if it is broken, does not match or is mislabelled."""
        from gem.image import read_image

        image = read_image(self._path(self.image, sample_id))
        path = self._path(self.mask, sample_id)
        truth = read_mask(path)
        if truth.shape != (image.height, image.width):
            raise ValueError(
                f"mask {path.name} is {truth.shape[0]}x{truth.shape[1]} but its image is "
                f"{image.height}x{image.width} (height x width)"
            )
        check_labels(truth, labels=len(self.card.labels), name=path.name)
        return Sample(id=sample_id, image=image, truth=truth)

    def _path(self, pattern: str, sample_id: str = "") -> Path:
        return Path(self.root) / pattern.format(id=sample_id)


def read_mask(path: Path) -> Integer[np.ndarray, "y x"]:
    """Label ids of a palette, grey or 16-bit image, as they are stored: never as luma."""
    try:
        with Image.open(path) as opened:
            if opened.mode not in ID_MODES:
                raise ValueError(f"it is {opened.mode}, but label ids are one channel")
            return np.array(opened)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as a mask: {error}") from error


def check_labels(truth: Integer[np.ndarray, "y x"], *, labels: int, name: str) -> None:
    """Raise ValueError if a label is neither void nor one of the data set's."""
    foreign = truth[(truth >= labels) & (truth != VOID)]
    if foreign.size:
        raise ValueError(
            f"mask {name} has the label {foreign.max()}, "
            f"expected 0 to {labels - 1} or {VOID} (void)"
        )
