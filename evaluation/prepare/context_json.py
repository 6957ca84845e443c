"""``trainval_merged.json`` of Pascal Context, checked field by field."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

LONGEST_SIDE = 10_000
"""No image of PASCAL VOC has more than 500 pixels on a side."""


@dataclass(frozen=True)
class Picture:
    """An image of the file."""

    image_id: int | str
    file_name: Annotated[str, Field(pattern=r"^\w[\w-]*\.\w+$")]
    phase: str
    height: Annotated[int, Field(ge=1, le=LONGEST_SIDE)]
    width: Annotated[int, Field(ge=1, le=LONGEST_SIDE)]

    @property
    def stem(self) -> str:
        """What its mask is called."""
        return Path(self.file_name).stem


@dataclass(frozen=True)
class Annotation:
    """A shape of one class on an image."""

    image_id: int | str
    category_id: int
    segmentation: Any


@dataclass(frozen=True)
class Merged:
    """What is read of the file."""

    images: list[Picture]
    annos_segmentation: list[Annotation]

    def by_image(self) -> dict[int | str, list[Annotation]]:
        """The annotations of every image, in the order of the file."""
        found: dict[int | str, list[Annotation]] = defaultdict(list)
        for item in self.annos_segmentation:
            found[item.image_id].append(item)
        return found


MERGED = TypeAdapter(Merged)


def read_merged(path: Path) -> Merged:
    """What the file holds.

    Raises ValueError for a field that is missing or wrong, an image that is there twice, and an
    annotation of an image that is not there.
    """
    wrong = f"{path} is not Context's trainval_merged.json"
    try:
        found = MERGED.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ValueError(f"{wrong}: {place}: {first['msg']}") from error
    stems, ids = set[str](), set[int | str]()
    for picture in found.images:
        if picture.stem in stems or picture.image_id in ids:
            raise ValueError(f"{wrong}: the image {picture.file_name} is there twice")
        stems.add(picture.stem)
        ids.add(picture.image_id)
    for item in found.annos_segmentation:
        if item.image_id not in ids:
            raise ValueError(
                f"{wrong}: it has a shape of the image {item.image_id}, which it lacks"
            )
    return found
