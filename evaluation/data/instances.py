"""COCO's instance annotations as label maps: COCO-Object without converted masks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.data.card import Card, load_card
from evaluation.data.coco_masks import draw_shape
from evaluation.data.on_disk import Missing, check_files, check_root, check_some
from evaluation.data.sample import Sample
from gem.options import options

if TYPE_CHECKING:
    from jaxtyping import UInt8


@dataclass(frozen=True)
class Annotated:
    """One image of an annotation file: its size and its annotations in the order of the file."""

    size: tuple[int, int]
    annotations: list[dict[str, Any]]


@options
class Instances:
    """COCO images whose labels are drawn from ``instances_*.json``: 0 where there is no instance.

    GroupViT (Xu et al., CVPR 2022, Sec. 4) defines COCO-Object as "combining the instance masks of
    the same category"; where instances of two classes overlap it is silent, and what the field
    evaluates on are the things of the COCO-Stuff maps (``dataset=coco_object_stuff``). Here crowd
    regions, which outline a group loosely, are drawn first, as their class; then the instances in
    the order of the file, each over the earlier ones. No pixel is void.

    dataset: the name of the card; the categories of the file must have its names, in its order.
    annotations: the file, relative to the root. image: relative to the root, with ``{id}``, which
    is the name of the image file without its ending.
    missing: whether annotated images that are not there are an error or left out.
    """

    dataset: str
    root: str
    annotations: str
    image: str
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
        """Raise if an image is missing or the categories are not the card's classes."""
        check_files({"image": [self.image_path(name) for name in ids]})
        _ = self._labels

    def __getitem__(self, sample_id: str) -> Sample:
        """Read an image and draw its labels. Raises ValueError if their sizes differ."""
        from gem.image import read_image

        image = read_image(self.image_path(sample_id))
        found = self._images[sample_id]
        if found.size != (image.height, image.width):
            raise ValueError(
                f"{Path(self.annotations).name} says {found.size[0]}x{found.size[1]} for the image "
                f"{sample_id}, which is {image.height}x{image.width} (height x width)"
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
        found = self._images[sample_id]
        truth = np.zeros(found.size, dtype=np.uint8)
        for item in sorted(found.annotations, key=lambda item: not item.get("iscrowd", 0)):
            try:
                shape = draw_shape(item["segmentation"], found.size)
                truth[shape] = self._labels[item["category_id"]]
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{Path(self.annotations).name}: the annotation {item.get('id')} of the image "
                    f"{sample_id} cannot be drawn: {error}"
                ) from error
        return truth

    @cached_property
    def _labels(self) -> dict[int, int]:
        """The label of each category id."""
        categories = sorted(self._file["categories"], key=lambda item: int(item["id"]))
        names = tuple(item["name"] for item in categories)
        if names != self.card.classes:
            raise ValueError(
                f"{Path(self.annotations).name} has the categories {', '.join(names[:3])}, ... "
                f"({len(names)}), expected the {len(self.card.classes)} of {self.card.name}"
            )
        return {item["id"]: label for label, item in enumerate(categories, start=1)}

    @cached_property
    def _images(self) -> dict[str, Annotated]:
        by_number = {
            item["id"]: (
                Path(item["file_name"]).stem,
                Annotated(size=(item["height"], item["width"]), annotations=[]),
            )
            for item in self._file["images"]
        }
        for item in self._file["annotations"]:
            if item["image_id"] in by_number:
                by_number[item["image_id"]][1].annotations.append(item)
        return dict(by_number.values())

    @cached_property
    def _file(self) -> dict[str, Any]:
        check_root(self.root, self.annotations)
        path = Path(self.root) / self.annotations
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
        except ValueError as error:
            raise ValueError(f"{path} cannot be read as annotations: {error}") from error
        if lacking := {"images", "annotations", "categories"} - set(found):
            raise ValueError(f"{path} has no {', '.join(sorted(lacking))}, expected COCO instances")
        return found
