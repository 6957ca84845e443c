"""COCO's annotation files: the fields that are used, checked when they are read."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, FailFast, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(strict=True, extra="ignore")
Side = Annotated[int, Field(ge=1)]


@dataclass(config=STRICT, frozen=True, slots=True)
class CocoImage:
    """One image: its number, its file, its size in pixels."""

    id: int
    file_name: str
    height: Side
    width: Side


@dataclass(config=STRICT, frozen=True, slots=True)
class CocoAnnotation:
    """One instance; ``segmentation`` is checked where it is drawn (`coco_masks.read_shape`)."""

    id: int
    image_id: int
    category_id: int
    segmentation: Any
    iscrowd: Literal[0, 1] = 0


@dataclass(config=STRICT, frozen=True, slots=True)
class CocoCategory:
    """One class."""

    id: int
    name: str


@dataclass(config=STRICT, frozen=True, slots=True)
class CocoFile:
    """What is used of an annotation file."""

    images: Annotated[list[CocoImage], FailFast()]
    annotations: Annotated[list[CocoAnnotation], FailFast()]
    categories: Annotated[list[CocoCategory], FailFast()]


def read_coco(path: Path) -> CocoFile:
    """The file, with every reference in it checked.

    Raises ValueError, naming the file and the place in it, for another format, for numbers that
    are there twice, and for annotations of images or categories that are not there.
    """
    try:
        found = _adapter().validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(
            f"{path} cannot be read as COCO instances: {_first_fault(error)}"
        ) from error
    if not found.images:
        raise ValueError(f"{path}: there is no image")
    for kind, items in (
        ("image", found.images), ("annotation", found.annotations), ("category", found.categories),
    ):  # fmt: skip
        if (twice := _first_twice(item.id for item in items)) is not None:
            raise ValueError(f"{path}: the {kind} id {twice} is there twice, expected once")
    for image in found.images:
        if image.file_name.startswith("/") or "../" in image.file_name:
            raise ValueError(f"{path}: the file name {image.file_name!r} is not one below a folder")
    images = {image.id for image in found.images}
    categories = {category.id for category in found.categories}
    for item in found.annotations:
        if item.image_id not in images or item.category_id not in categories:
            lost = "image" if item.image_id not in images else "category"
            number = item.image_id if lost == "image" else item.category_id
            raise ValueError(
                f"{path}: the annotation {item.id} is of the {lost} {number}, which is not there"
            )
    return found


@cache
def _adapter() -> TypeAdapter[CocoFile]:
    return TypeAdapter(CocoFile)


def _first_twice(values: Iterable[Hashable]) -> Hashable | None:
    seen: set[Hashable] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def _first_fault(error: ValidationError) -> str:
    """The place, what is expected there, and what was found."""
    wrong = error.errors(include_url=False)[0]
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in wrong["loc"])
    place = "".join(steps).lstrip(".")
    said = wrong["msg"][:1].lower() + wrong["msg"][1:]
    if not place or wrong["type"] == "missing":
        return f"{place}: {said}".lstrip(": ")
    return f"{place}: {said}, found {repr(wrong['input'])[:40]}"
