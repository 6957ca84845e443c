"""COCO's instance annotations as label maps: COCO-Object without converted masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from evaluation.data.card import VOID, Card, load_card
from evaluation.data.coco_file import CocoAnnotation, CocoFile, read_coco
from evaluation.data.mask_files import turned_hint
from evaluation.data.on_disk import (
    Missing,
    Pattern,
    check_files,
    check_ids,
    check_root,
    check_some,
)
from evaluation.data.sample import Sample
from gem.options import options

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import UInt8

T = TypeVar("T")


@dataclass(frozen=True)
class Annotated:
    """One image of an annotation file: its size and its annotations in the order of the file."""

    size: tuple[int, int]
    annotations: list[CocoAnnotation]


@options
class Instances:
    """COCO images whose labels are drawn from ``instances_*.json``: 0 where there is no instance.

    GroupViT (Xu et al., CVPR 2022, Sec. 4) defines COCO-Object as "combining the instance masks of
    the same category"; where instances of two classes overlap it is silent, and what the field
    evaluates on are the things of the COCO-Stuff maps (``dataset=coco_object_stuff``). Here crowd
    regions, which outline a group loosely, are drawn first, as their class; then the instances in
    the order of the file, each over the earlier ones. No pixel is void. Shapes belong to the stored
    pixels of an image: EXIF orientation is ignored.

    dataset: the name of the card; the categories of the file must have its names, in its order.
    annotations: the file, relative to the root. image: relative to the root, with ``{id}``, which
    is the name of the image file without its folder and its ending.
    missing: whether annotated images that are not there are an error or left out.
    """

    dataset: str
    root: str
    annotations: str
    image: Pattern
    missing: Missing = "refuse"

    @property
    def card(self) -> Card:
        """The data set's card."""
        return load_card(self.dataset)

    @property
    def listed(self) -> tuple[str, ...]:
        """Ids of all the images in the file, sorted."""
        return tuple(sorted(self._images))

    @cached_property
    def present(self) -> tuple[str, ...]:
        """The ids whose image is there."""
        return tuple(name for name in self.listed if self.image_path(name).is_file())

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids that are evaluated. Raises FileNotFoundError if there are none."""
        return self.listed if self.missing == "refuse" else check_some(self, self.present)

    def check(self, ids: Sequence[str]) -> None:
        """Raise if an image is missing, categories are not the card's, or a shape is broken."""
        from evaluation.data.coco_masks import read_shape

        check_files({"image": [self.image_path(name) for name in ids]})
        _ = self._labels
        for name in ids:
            for item in self._images[name].annotations:
                self._shape_of(item, name, read_shape)

    def __getitem__(self, sample_id: str) -> Sample:
        """Read an image and draw its labels. Raises ValueError if their sizes differ."""
        from gem.pixels import read_image

        image = read_image(self.image_path(sample_id))
        found = self._images[sample_id]
        if found.size != (image.height, image.width):
            raise ValueError(
                f"{Path(self.annotations).name} says {found.size[0]}x{found.size[1]} for the image "
                f"{sample_id}, which is {image.height}x{image.width} (height x width)"
                f"{turned_hint(image, found.size)}"
            )
        return Sample(id=sample_id, image=image, truth=self._draw(sample_id))

    def image_path(self, sample_id: str) -> Path:
        """The file of an image."""
        return Path(self.root) / self.image.format(id=sample_id)

    def files(self, ids: Sequence[str]) -> Iterator[Path]:
        """Every file that these samples are read from."""
        yield Path(self.root) / self.annotations
        yield from map(self.image_path, ids)

    def _draw(self, sample_id: str) -> UInt8[np.ndarray, "y x"]:
        import numpy as np

        from evaluation.data.coco_masks import draw_shape

        found = self._images[sample_id]
        truth = np.zeros(found.size, dtype=np.uint8)
        for item in sorted(found.annotations, key=lambda item: not item.iscrowd):
            shape = self._shape_of(item, sample_id, draw_shape)
            truth[shape] = self._labels[item.category_id]
        return truth

    def _shape_of(
        self, item: CocoAnnotation, sample_id: str, read: Callable[[Any, tuple[int, int]], T]
    ) -> T:
        """What ``read`` makes of a shape; its errors name the annotation."""
        try:
            return read(item.segmentation, self._images[sample_id].size)
        except ValueError as error:
            raise ValueError(
                f"{Path(self.annotations).name}: the annotation {item.id} of the image "
                f"{sample_id} cannot be drawn: {error}"
            ) from error

    @cached_property
    def _labels(self) -> dict[int, int]:
        """The label of each category id."""
        categories = sorted(self._file.categories, key=lambda item: item.id)
        names = tuple(item.name for item in categories)
        if names != self.card.classes:
            raise ValueError(
                f"{Path(self.annotations).name} has the categories {', '.join(names[:3])}, ... "
                f"({len(names)}), expected the {len(self.card.classes)} of {self.card.name}"
            )
        if len(names) >= VOID:
            raise ValueError(f"{len(names) + 1} labels, but {VOID} stands for void")
        return {item.id: label for label, item in enumerate(categories, start=1)}

    @cached_property
    def _images(self) -> dict[str, Annotated]:
        source, found = f"{Path(self.root) / self.annotations}", self._file
        check_ids([Path(item.file_name).stem for item in found.images], source)
        by_number = {
            item.id: Annotated(size=(item.height, item.width), annotations=[])
            for item in found.images
        }
        for item in found.annotations:
            by_number[item.image_id].annotations.append(item)
        return {Path(item.file_name).stem: by_number[item.id] for item in found.images}

    @cached_property
    def _file(self) -> CocoFile:
        check_root(self.root, self.annotations)
        return read_coco(Path(self.root) / self.annotations)
