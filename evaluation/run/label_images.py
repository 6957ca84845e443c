"""Labels for images without truth: masks, overlays and COCO shapes of a user's own classes.

Shapes: y x pixels of the original image.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer
from PIL import Image
from pycocotools import mask as shapes

from evaluation.measure.evaluate import Advance, look
from evaluation.measure.mask_accumulator import bands, min_max_at
from evaluation.measure.text_cache import embed_text
from evaluation.pictures.panel import palette
from evaluation.setting import Setting
from evaluation.whole_files import write_json
from gem.image import upsample
from gem.segmenter import View
from gem.vocabulary import Queries

STRENGTH = 0.55


def label_folder(setting: Setting, folder: Path, advance: Advance) -> list[Path]:
    """Label every image of the setting's data set; returns the folders and files that were written.

    ``masks/`` has a palette PNG per image: 0 where the protocol's threshold leaves a pixel without
    a class, i for the i-th class. ``overlays/`` shows them on the images. ``shapes.json`` has every
    class of every image as COCO annotations with run lengths.
    """
    queries = embed_text(setting)
    names = setting.asked.names
    annotations: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    for batch, views in look([setting]):
        for item, view in zip(batch, views[setting.method], strict=True):
            image: Image.Image = item.truth
            labels = decide(setting, view, queries, (image.height, image.width))
            _write_pictures(image, labels, folder, item.id)
            size = {"width": image.width, "height": image.height}
            images.append({"id": len(images) + 1, "file_name": item.id, **size})
            annotations += _shapes(labels, len(images), first=len(annotations) + 1)
        advance(len(batch))
    categories = [{"id": index, "name": name} for index, name in enumerate(names, start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    write_json(folder / "shapes.json", content)
    return [folder / name for name in ("masks", "overlays", "shapes.json")]


def decide(
    setting: Setting, view: View, queries: Queries, size: tuple[int, int]
) -> Integer[np.ndarray, "y x"]:
    """Labels at ``size``: 0 where no class is certain enough, then the classes from 1."""
    rules, cosines = setting.protocol, view.cosines(queries.text)
    scaled = min_max_at(cosines, size) if rules.min_max else cosines
    found = []
    for rows in bands(size, len(cosines)):
        best, certainty = rules.answer(upsample(scaled, size, rows), queries)
        found.append(((best + 1) * (certainty >= (rules.background or 0))).cpu().numpy())
    return np.concatenate(found).astype("uint8" if queries.classes < 256 else "uint16")


def _write_pictures(
    image: Image.Image, labels: Integer[np.ndarray, "y x"], folder: Path, name: str
) -> None:
    masks = (folder / "masks" / name).with_suffix(".png")
    overlays = (folder / "overlays" / name).with_suffix(".jpg")
    colours = palette(background=True)
    masks.parent.mkdir(parents=True, exist_ok=True)
    overlays.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(labels)
    if labels.dtype == np.uint8:
        picture.putpalette((255 * colours).astype("uint8").tobytes())
    picture.save(masks)
    shown = (labels > 0)[..., None] * STRENGTH
    mixed = np.asarray(image) / 255 * (1 - shown) + colours[labels & 255] * shown
    Image.fromarray((255 * mixed).round().astype("uint8")).save(overlays, quality=92)


def _shapes(
    labels: Integer[np.ndarray, "y x"], image_id: int, *, first: int
) -> list[dict[str, Any]]:
    """One COCO annotation per class that the labels show."""
    found = []
    for number, label in enumerate(np.unique(labels[labels > 0]).tolist(), start=first):
        runs = shapes.encode(np.asfortranarray(labels == label, dtype="uint8"))
        found.append({
            "id": number, "image_id": image_id, "category_id": label, "iscrowd": 0,
            "segmentation": {"size": list(runs["size"]), "counts": runs["counts"].decode()},
            "area": int(shapes.area(runs)), "bbox": shapes.toBbox(runs).tolist(),
        })  # fmt: skip
    return found
