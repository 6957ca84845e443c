"""What the drawn files of each data set are like: sizes, kinds of files, ids.

The sizes are those that are common in the set, with shares set by hand and not counted in it. How
many bytes an image has is set by its grain and quality, so that the mean comes near to that of the
publisher's archive (its size in the card, by its images).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evaluation.data.card import Card, load_card
from evaluation.data.on_disk import OWN_LISTS, OnDisk, read_list

Truth = Literal["palette", "grey", "mat", "points"]


@dataclass(frozen=True)
class Kind:
    """How the files of a data set are drawn.

    sizes: width, height, share of the images. truth: the file of an image's truth. labels: what it
    may store, and void: what stands between or beside them. regions: of an image; shown: how many
    of them have a label, the others are background. grain, quality: of the JPEG.
    """

    sizes: tuple[tuple[int, int, float], ...]
    truth: Truth
    labels: tuple[int, ...]
    void: int
    grain: int
    quality: int = 92
    regions: int = 10
    shown: int = 10


VOC = (
    (500, 375, 45), (375, 500, 14), (500, 333, 16), (333, 500, 5), (500, 334, 4), (500, 332, 3),
    (500, 374, 4), (500, 400, 2), (500, 281, 2), (500, 500, 2), (486, 500, 1), (400, 300, 2),
)  # fmt: skip
ADE = (
    (256, 256, 18), (683, 512, 36), (512, 683, 10), (512, 512, 6), (768, 512, 8), (910, 512, 6),
    (680, 512, 6), (1024, 768, 4), (1600, 1200, 3), (2048, 1536, 2), (1200, 1600, 1),
)  # fmt: skip
COCO = (
    (640, 480, 36), (480, 640, 12), (640, 427, 18), (427, 640, 6), (640, 426, 6), (640, 425, 5),
    (640, 428, 4), (640, 360, 3), (500, 375, 4), (612, 612, 3), (640, 640, 2), (375, 500, 1),
)  # fmt: skip
OPENIMAGES = (
    (1024, 768, 48), (768, 1024, 14), (1024, 683, 18), (683, 1024, 7), (1024, 681, 4),
    (1024, 680, 3), (1024, 576, 3), (1024, 1024, 2), (1024, 685, 1),
)  # fmt: skip


def kind_of(name: str) -> Kind:
    """The kind of a data set by its name."""
    if name == "voc":
        return Kind(VOC, "palette", tuple(range(1, 21)), void=255, grain=46, shown=3)
    if name == "context":
        return Kind(VOC, "mat", tuple(range(1, 460)), void=0, grain=46)
    if name == "ade20k":
        return Kind(ADE, "grey", tuple(range(1, 151)), void=0, grain=8, quality=75)
    if name == "coco_stuff":
        return Kind(COCO, "grey", stored(load_card(name)), void=255, grain=36)
    return Kind(OPENIMAGES, "points", (), void=0, grain=14)


NAMES = ("voc", "context", "ade20k", "coco_stuff", "openimages")


def stored(card: Card) -> tuple[int, ...]:
    """The ids that the masks of a card store for its classes."""
    return tuple(one for one in card.ids or () if isinstance(one, int))


def ids_of(dataset: OnDisk, name: str, count: int | None, seed: int) -> tuple[str, ...]:
    """The ids of the images: those of a list of this project, else drawn ones of the same form.

    Raises ValueError for a count that the split does not have.
    """
    whole = load_card(name).images or 0
    if count and count > whole:
        raise ValueError(f"count={count}: the split of {name} has {whole} images, expected fewer")
    listing = getattr(dataset, "listing", None) or ""
    if listing.startswith(OWN_LISTS):
        return read_list(".", listing)[: count or whole]
    return drawn_ids(name, count or whole, seed)


def drawn_ids(name: str, count: int, seed: int) -> tuple[str, ...]:
    """Sorted ids that look like those of a data set whose list is not in this project."""
    if name == "voc":
        return tuple(f"{2007 + 5 * place // count}_{place:06d}" for place in range(count))
    if name == "coco_stuff":
        return tuple(f"{139 + 116 * place:012d}" for place in range(count))
    return tuple(sorted(_hexadecimal(f"{seed} {place}") for place in range(count)))


def _hexadecimal(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def share_out(sizes: Sequence[tuple[int, int, float]], most: int) -> list[int]:
    """How many distinct drawings each size gets: by its share, one at least."""
    total = sum(share for _, _, share in sizes)
    return [max(1, round(most * share / total)) for _, _, share in sizes]
