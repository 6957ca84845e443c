"""Labels for images without truth: masks, overlays and COCO shapes of a user's own classes.

Shapes: y x pixels of the original image.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer
from PIL import Image
from pycocotools import mask as shapes

from evaluation.measure.batches import encode_batches
from evaluation.measure.decision import best_classes
from evaluation.measure.evaluate import Advance
from evaluation.measure.text_cache import embed_text
from evaluation.metrics.accumulator import ImageCache
from evaluation.pictures.palette import palette, palette_bytes
from evaluation.setting import Setting
from evaluation.whole_files import write_bytes, write_json, write_whole
from gem.segmenter import EncodedImage
from gem.vocabulary import Queries

STRENGTH = 0.55


def label_folder(
    setting: Setting, folder: Path, advance: Advance, ids: Sequence[str] | None = None
) -> list[Path]:
    """Label every image of the setting's data set; returns the folders and files that were written.

    ids: only these of them.
    All of it lies on the images as people see them, turned as their EXIF orientation says.
    ``masks/`` has a palette PNG per image: 0 where the protocol's threshold leaves a pixel without
    a class, i for the i-th class. ``overlays/`` shows them on the images. ``shapes.json`` has every
    class of every image as COCO annotations with run lengths.
    """
    ids = setting.ids if ids is None else tuple(ids)
    queries, stems = embed_text(setting), output_names(ids)
    annotations: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    for batch, encoded in encode_batches([setting], [ids]):
        for item, one in zip(batch, encoded[setting.segmenter], strict=True):
            image: Image.Image = item.truth
            labels = decide(setting, one, queries, (image.height, image.width))
            one.check()
            _write_pictures(image, labels, folder, stems[item.id])
            size = {"width": image.width, "height": image.height}
            images.append({"id": len(images) + 1, "file_name": item.id, **size})
            annotations += _shapes(labels, len(images), first=len(annotations) + 1)
        advance(len(batch))
    names = setting.class_vocabulary.names
    categories = [{"id": index, "name": name} for index, name in enumerate(names, start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    write_json(folder / "shapes.json", content)
    return [folder / name for name in ("masks", "overlays", "shapes.json")]


def output_names(ids: tuple[str, ...]) -> dict[str, str]:
    """What the files of each image are called, without their ending.

    ``cat`` for ``cat.jpg``; where there is ``cat.png`` too, each keeps its whole name. Where that
    is still not enough, as beside ``cat.jpg.png``, every image does.
    """
    stems = {name: Path(name).with_suffix("").as_posix() for name in ids}
    count = Counter(stem.casefold() for stem in stems.values())  # some disks do not tell case
    found = {name: stem if count[stem.casefold()] == 1 else name for name, stem in stems.items()}
    unique = len({stem.casefold() for stem in found.values()}) == len(ids)
    return found if unique else {name: name for name in ids}


def decide(
    setting: Setting, image: EncodedImage, queries: Queries, size: tuple[int, int]
) -> Integer[np.ndarray, "y x"]:
    """Labels at ``size``: 0 where no class is certain enough, then the classes from 1."""
    limit, found = setting.protocol.background, []
    for band in best_classes(image, queries, setting.protocol, size, ImageCache()):
        labels = band.best + 1
        if band.none is not None:
            labels = labels * ~band.none
        elif limit:
            labels = labels * (band.certainty() >= limit)
        found.append(labels.cpu().numpy())
    return np.concatenate(found).astype("uint8" if queries.classes < 256 else "uint16")


def _write_pictures(
    image: Image.Image, labels: Integer[np.ndarray, "y x"], folder: Path, name: str
) -> None:
    masks, overlays = folder / "masks" / f"{name}.png", folder / "overlays" / f"{name}.jpg"
    picture = Image.fromarray(labels)
    if labels.dtype == np.uint8:
        picture.putpalette(palette_bytes(background=True))
    write_whole(masks, partial(picture.save, format="PNG"))
    shown = (labels > 0)[..., None] * STRENGTH
    colours = palette(background=True)[labels & 255]
    mixed = np.asarray(image) / 255 * (1 - shown) + colours * shown
    jpeg = BytesIO()  # into a file Pillow writes by itself, and then does not say why it cannot
    Image.fromarray((255 * mixed).round().astype("uint8")).save(jpeg, format="JPEG", quality=92)
    write_bytes(overlays, jpeg.getvalue())


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
