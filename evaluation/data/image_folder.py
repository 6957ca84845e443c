"""A folder of images without truth, to be labelled."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Literal

from evaluation.data.card import Card, load_card
from evaluation.data.on_disk import check_ids
from evaluation.data.sample import Sample
from gem.options import options

ENDINGS = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


@options
class Folder:
    """Every image of a folder and of the folders in it, in the order of their paths.

    The classes are the user's: ``vocabulary.words=[cat,dog]``. Images are turned as their EXIF
    orientation says, as people see them. The truth of a sample is the image itself, for whoever
    draws over it.

    broken: what `whole` does with files that cannot be read as images.
    """

    dataset: Literal["folder"] = "folder"
    root: str
    broken: Literal["skip", "refuse"] = "skip"

    @property
    def card(self) -> Card:
        """A card without classes."""
        return load_card(self.dataset)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Paths relative to the root. Raises if there is no folder or no image in it."""
        root = Path(self.root)
        if not root.is_dir():
            raise FileNotFoundError(f"dataset.root={self.root}: there is no such folder")
        paths = (path for path in root.rglob("*") if path.suffix.lower() in ENDINGS)
        found = (path for path in paths if path.is_file())
        ids = tuple(sorted(path.relative_to(root).as_posix() for path in found))
        if not ids:
            raise ValueError(
                f"dataset.root={self.root} holds no image ({', '.join(sorted(ENDINGS))})"
            )
        check_ids(ids, f"dataset.root={self.root}")
        return ids

    def whole(self, ids: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
        """Those of the images that can be read, and a sentence for each that cannot.

        Reads all of them. Raises the first one's error if they are refused, ValueError if none is
        left.
        """
        with ThreadPoolExecutor() as pool:
            errors = dict(zip(ids, pool.map(self._error, ids), strict=True))
        found = tuple(one for one in ids if errors[one] is None)
        wrong = [error for error in errors.values() if error]
        if wrong and self.broken == "refuse":
            raise wrong[0]
        if not found:
            raise ValueError(
                f"dataset.root={self.root}: no image of {len(wrong)} can be read; {wrong[0]}"
            )
        return found, list(map(str, wrong))

    def _error(self, sample_id: str) -> ValueError | OSError | None:
        try:
            self[sample_id]
        except (ValueError, OSError) as error:
            return error
        return None

    def check(self, ids: Sequence[str]) -> None:
        """The ids were just listed: nothing can be missing."""

    def __getitem__(self, sample_id: str) -> Sample:
        """Read one image. Raises ValueError if it is broken."""
        from gem.pixels import read_photograph

        image = read_photograph(Path(self.root) / sample_id)
        return Sample(id=sample_id, image=image, truth=image)
