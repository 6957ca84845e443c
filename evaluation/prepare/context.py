"""Pascal Context: label maps of 59 classes, from either of the two forms of the annotations.

Mottaghi et al., CVPR 2014, label 459 classes and evaluate the 59 most frequent. The field's masks
are made of ``trainval_merged.json`` with the detail API (mmsegmentation's converter), or with
pycocotools as here (CAT-Seg, MESS): later annotations overwrite earlier ones, the ids are sorted
and numbered 1 to 59, and 0 is everything else. The authors' ``.mat`` files hold the 459 ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from evaluation.data.coco_masks import draw_shape
from evaluation.prepare.context_json import Annotation, read_merged
from evaluation.prepare.mat_file import read_array
from evaluation.whole_files import write_text, write_whole

if TYPE_CHECKING:
    from jaxtyping import Integer, UInt8

ANNOTATED = 459
CLASS_IDS = (
    2, 9, 18, 19, 22, 23, 25, 31, 33, 34, 44, 45, 46, 59, 65, 68, 72, 80, 85, 98, 104, 105, 113,
    115, 144, 158, 159, 162, 187, 189, 207, 220, 232, 258, 259, 260, 284, 295, 296, 308, 324, 326,
    347, 349, 354, 355, 360, 366, 368, 397, 415, 416, 420, 424, 427, 440, 445, 454, 458,
)  # fmt: skip
"""Which of the 459 are the 59, sorted; the position, from 1, is what the masks store."""
DEVKIT = Path("VOCdevkit/VOC2010")
JSON = DEVKIT / "trainval_merged.json"
MATS = DEVKIT / "context" / "trainval"
MASKS = DEVKIT / "SegmentationClassContext"
LISTS = DEVKIT / "ImageSets" / "SegmentationContext"

Advance = Callable[[int], None]


def convert(root: Path, advance: Advance = lambda _: None) -> int:
    """Write the masks that are not there yet; returns how many.

    From the json if it is there (it takes several GB of memory), else from the .mat files. With
    the json come the lists of its two phases, as mmsegmentation writes them.
    """
    if (root / JSON).is_file():
        return _convert_json(root, advance)
    written = 0
    for path in sorted((root / MATS).glob("*.mat")):
        target = root / MASKS / f"{path.stem}.png"
        if not target.is_file():
            _save(from_mat(path), target)
            written += 1
        advance(1)
    return written


def from_mat(path: Path) -> UInt8[np.ndarray, "y x"]:
    """The mask of a ``.mat`` file with the 459 ids in ``LabelMap``. ValueError if it is none."""
    try:
        found = read_array(path.read_bytes(), "LabelMap")
    except (ValueError, ArithmeticError, IndexError) as error:
        raise ValueError(f"{path} holds no LabelMap: {error}") from error
    if found.ndim != 2 or not found.size:
        raise ValueError(f"{path}: LabelMap has the shape {found.shape}, expected two dimensions")
    with np.errstate(invalid="ignore"):  # bytes that are no number at all
        known = (found >= 0) & (found <= ANNOTATED) & (found == np.floor(found))
    if not known.all():
        raise ValueError(
            f"{path}: LabelMap has values from {found.min()} to {found.max()}, expected whole "
            f"numbers from 0 to {ANNOTATED}"
        )
    return _rank()[found.astype(np.int64)]


def from_annotations(
    annotations: Sequence[Annotation], size: tuple[int, int], *, name: str
) -> UInt8[np.ndarray, "y x"]:
    """The mask of an image of (height, width): later annotations overwrite earlier ones."""
    drawn = np.zeros(size, dtype=np.int64)
    for item in annotations:
        if item.category_id not in {0, *CLASS_IDS}:
            raise ValueError(
                f"{JSON.name}: {name} has the category {item.category_id}, expected one of the 59"
            )
        try:
            drawn[draw_shape(item.segmentation, size)] = item.category_id
        # Odd shapes lead pycocotools to nearly any exception.
        except Exception as error:
            reason = str(error) or type(error).__name__
            raise ValueError(f"{JSON.name}: a shape of {name} cannot be drawn: {reason}") from error
    return _rank()[drawn]


def _convert_json(root: Path, advance: Advance) -> int:
    merged = read_merged(root / JSON)
    annotations = merged.by_image()
    written = 0
    for image in merged.images:
        target = root / MASKS / f"{image.stem}.png"
        if not target.is_file():
            size = (image.height, image.width)
            _save(from_annotations(annotations[image.image_id], size, name=image.stem), target)
            written += 1
        advance(1)
    for phase in ("train", "val"):
        stems = sorted(image.stem for image in merged.images if image.phase == phase)
        write_text(root / LISTS / f"{phase}.txt", "".join(f"{stem}\n" for stem in stems))
    return written


def _rank() -> Integer[np.ndarray, " ids"]:
    table = np.zeros(ANNOTATED + 1, dtype=np.uint8)
    table[list(CLASS_IDS)] = np.arange(1, len(CLASS_IDS) + 1)
    return table


def _save(mask: UInt8[np.ndarray, "y x"], path: Path) -> None:
    write_whole(path, lambda stream: Image.fromarray(mask).save(stream, format="PNG"))
