"""From the maps of scores to decisions: scale, upsample, choose; in bands of bounded memory.

Shapes: w words, c classes, u v rows and columns of a map, r c pixels of the prepared image,
y x pixels of the truth or image.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, Integer
from torch import Tensor

from evaluation.data import VOID, Card
from evaluation.measure.refinement import refined
from evaluation.metrics.accumulator import ImageCache
from evaluation.metrics.matrix import tally
from evaluation.setting import EvalProtocol, Pamr
from gem.image import ROUNDING, upsample
from gem.segmenter import EncodedImage
from gem.vocabulary import Queries

# Floating-point numbers of upsampled maps that stand in memory at once. 4 MiB stay in the cache of
# a CPU, and in memory that the process has: to get new pages costs more than all that is computed
# in them. 256 MiB on a GPU, and where a band is needed twice or with rows around it.
BAND, LARGE = 2**20, 2**26


class Band(NamedTuple):
    """Some rows of an image: the best class of every pixel, and how certain it is.

    certainty: by the protocol in [0, 1]; by a rule of the segmenter's own in its units. Who holds
    it holds the maps that it is computed from. none: what shows no class, where the segmenter has
    such a rule.
    """

    rows: slice
    best: Int64[Tensor, "y x"]
    certainty: Callable[[], Float[Tensor, "y x"]]
    none: Bool[Tensor, "y x"] | None = None

    def labels(
        self, protocol: EvalProtocol, queries: Queries, *, background: bool
    ) -> Int64[Tensor, "y x"]:
        """Labels as the data set counts them; 0 is the background if it has one.

        What shows no class is `VOID` in a data set without a background: not predicted. Raises
        ValueError if nothing says where the background is.
        """
        if self.none is None:
            return protocol.label(self.best, self.certainty, queries) if background else self.best
        shift = int(background and not queries.background)
        return torch.where(self.none, 0 if background else VOID, self.best + shift)


def score_maps(image: EncodedImage, queries: Queries) -> Float[Tensor, "w u v"]:
    """The segmenter's maps: one per word, at its own resolution."""
    return image.scores(queries)


def best_classes(
    image: EncodedImage,
    queries: Queries,
    protocol: EvalProtocol,
    size: tuple[int, int],
    cache: ImageCache,
) -> Iterator[Band]:
    """The protocol's choice for every pixel of (height, width), a band of rows at a time.

    Raises ValueError if the protocol asks for what the words or the segmenter do not have.
    """
    maps = cache(score_maps, image, queries)
    nothing = image.nothing(queries)
    if nothing is not None:
        yield from _by_its_own_rule(maps, nothing, queries, size, cache)
        return
    check_rules(protocol, queries)
    scaled = cache(min_max_at, maps, size) if protocol.min_max else maps
    again = protocol.area_threshold is not None
    room = LARGE if maps.is_cuda or protocol.pamr or again else BAND
    fine = partial(_at_the_mask, scaled, image, protocol.pamr, size, cache=cache)

    def walk(kept: Bool[Tensor, " c"] | None = None) -> Iterator[Band]:
        for rows in bands(size, len(maps), room):  # holds no maps while others take their turn
            yield Band(rows, *protocol.answer(fine(rows), queries, kept))

    if not again:
        yield from walk()
        return
    areas = [tally(band.best, queries.classes) for band in walk()]
    yield from walk(protocol.large(torch.stack(areas).sum(dim=0)))


def _by_its_own_rule(
    maps: Float[Tensor, "w u v"],
    nothing: Float[Tensor, "u v"],
    queries: Queries,
    size: tuple[int, int],
    cache: ImageCache,
) -> Iterator[Band]:
    """The best of the scores of all words and of none of them; the words win no tie."""
    for rows in bands(size, len(maps) + 1, LARGE if maps.is_cuda else BAND):
        peak, word = cache(upsample, maps, size, rows).max(dim=0)
        none = upsample(nothing[None], size, rows)[0] >= peak
        yield Band(rows, queries.class_index[word], partial(torch.clone, peak), none)


def _at_the_mask(
    maps: Float[Tensor, "w u v"],
    image: EncodedImage,
    rule: Pamr | None,
    size: tuple[int, int],
    rows: slice,
    *,
    cache: ImageCache,
) -> Float[Tensor, "w y x"]:
    """Some rows of the maps at the size of the mask, refined by the image if the rule says so."""
    if rule is None:
        return cache(upsample, maps, size, rows)
    if image.pixels is None:
        raise ValueError(
            "protocol.pamr: the segmenter keeps no image that maps could be refined by, expected "
            "protocol.pamr=null"
        )
    return cache(_refined, maps, image.pixels, (rule.steps, *rule.dilations), size, rows)


def _refined(
    maps: Float[Tensor, "w u v"],
    pixels: Float[Tensor, "3 r c"],
    rule: tuple[int, ...],
    size: tuple[int, int],
    rows: slice,
) -> Float[Tensor, "w y x"]:
    """`refined`, its rule as plain numbers, by which an `ImageCache` can tell it again."""
    steps, *dilations = rule
    pamr = Pamr(steps=steps, dilations=tuple(dilations))
    return refined(maps, pixels, pamr, size, rows, room=LARGE)


def label_map(
    image: EncodedImage,
    queries: Queries,
    protocol: EvalProtocol,
    size: tuple[int, int],
    *,
    background: bool,
) -> Int64[Tensor, "y x"]:
    """The label of every pixel of (height, width), as the data set counts them.

    With ``background`` label 0 is the background. A segmenter that decides by itself is believed.
    Raises ValueError if nothing says where the background is.
    """
    if image.labels is not None:
        return image.labels
    found = [
        band.labels(protocol, queries, background=background)
        for band in best_classes(image, queries, protocol, size, ImageCache())
    ]
    return torch.cat(found)


def bands(size: tuple[int, int], maps: int, room: int) -> Iterator[slice]:
    """Rows of an image of (height, width), as many at a time as ``room`` is for so many maps."""
    height, width = size
    step = max(room // (width * maps), 1)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def min_max_at(maps: Float[Tensor, "w u v"], size: tuple[int, int]) -> Float[Tensor, "w u v"]:
    """Scale each map so that, upsampled to ``size``, it runs from 0 to 1; a constant one is 0."""
    lows, highs = [], []
    for rows in bands(size, len(maps), LARGE if maps.is_cuda else BAND):
        fine = upsample(maps, size, rows)
        lows.append(fine.amin(dim=(1, 2)))  # `aminmax` is ten times as slow on a CPU
        highs.append(fine.amax(dim=(1, 2)))
    low = torch.stack(lows).amin(dim=0)[:, None, None]
    high = torch.stack(highs).amax(dim=0)[:, None, None]
    return torch.where(high - low > ROUNDING, (maps - low) / (high - low), 0.0)


def mask_of(truth: Integer[np.ndarray, "y x"], queries: Queries) -> Int64[Tensor, "y x"]:
    """The truth where the words are; a GPU copies it when it gets there."""
    mask, device = torch.from_numpy(truth.astype("int64")), queries.text.device
    return (mask.pin_memory() if device.type == "cuda" else mask).to(device, non_blocking=True)


def class_maps(maps: Float[Tensor, "w u v"], queries: Queries) -> Float[Tensor, "c u v"]:
    """One map per class that is not the background: the largest value of its words."""
    if queries.classes < len(maps):
        maps = torch.stack([words.amax(dim=0) for words in queries.by_class(maps)])
    return maps[int(queries.background) :]


def check_queries(card: Card, queries: Queries) -> None:
    """Raise ValueError if the words do not stand for the labels of the data set."""
    if queries.background and not card.background:
        raise ValueError(f"the vocabulary asks for a background, but {card.name} has none")
    wanted = len(card.labels if queries.background else card.classes)
    if queries.classes != wanted:
        raise ValueError(
            f"the vocabulary has {queries.classes} classes, but {card.name} has {wanted}"
        )


def check_rules(protocol: EvalProtocol, queries: Queries) -> None:
    """Raise ValueError if the rule of small areas has no background to give their pixels to."""
    if protocol.area_threshold is not None and not queries.background:
        raise ValueError(
            f"protocol.area_threshold={protocol.area_threshold:g}: the vocabulary has no words for "
            "the background, expected some (vocabulary=sclip has them on VOC), or null"
        )
