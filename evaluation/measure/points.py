"""Point accuracy of one setting, fed one image at a time.

Shapes: c classes with points in an image, u v rows and columns of a map, n points.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from evaluation.data import Card, Points
from evaluation.measure.decision import check_queries, class_maps
from evaluation.metrics import Score
from evaluation.metrics.accumulator import ImageCache, Outcome
from evaluation.metrics.points import (
    PointCounts,
    class_sums,
    count_points,
    has_yes,
    iou,
    readings,
)
from evaluation.metrics.reading import HEADLINE
from gem.image import extremes, sample
from gem.segmenter import EncodedImage
from gem.vocabulary import Queries

THRESHOLD = 0.5  # of the map scaled to [0, 1]: GEM, Sec. 4.1


class PointAccumulator:
    """Asks each image for the classes that have points in it, and counts the points.

    A class's map is scaled to [0, 1] as it would be over all pixels of the image, and a point is
    inside where the pixel that it falls on is above 0.5. Only the pixels of points are computed.
    The rules of masks (logit scale, background, several words of a class at once) do not apply: of
    several words the largest cosine counts.

    Scores: `readings`, the headline ``pmiou`` first.
    """

    def __init__(self, card: Card, queries: Queries) -> None:
        check_queries(card, queries)
        self.card, self.queries = card, queries
        self.counts = PointCounts().to(queries.text.device)

    def count(self, image: EncodedImage, truth: Points, cache: ImageCache) -> Iterator[None]:  # noqa: ARG002 nothing to share
        """Count the points of one image, which may have none."""
        device = self.queries.text.device
        if not len(truth.label):
            self.counts.update(truth.number, torch.zeros(0, 5, dtype=torch.int64, device=device))
            return
        present, place = np.unique(truth.label, return_inverse=True)  # on the host, where it is
        few = ask_only(self.queries, present.tolist())
        maps = class_maps(image.scores(few), few)
        classes, owner, positive = (
            torch.from_numpy(part).to(device) for part in (present, place, truth.positive)
        )
        inside = points_inside(maps, truth).gather(0, owner[None])[0]
        self.counts.update(truth.number, count_points(inside, owner, positive, classes))
        yield

    def outcome(self) -> Outcome:
        """The scores; counts are class sums over the pairs with a yes-point, and over all pairs.

        Raises ValueError if there was no yes-point.
        """
        rows = self.counts.compute().cpu()
        positive = rows[has_yes(rows)]
        if not len(positive):
            raise ValueError(
                f"{self.card.name}: no image has a yes-point, so nothing can be scored"
            )
        by_class = class_sums(positive)
        found = dict(zip(by_class[:, 0].tolist(), iou(by_class[:, 1:], "fg").tolist(), strict=True))
        return Outcome(
            scores=tuple(_score(name, value) for name, value in readings(rows).items()),
            per_class={name: found.get(index) for index, name in enumerate(self.card.classes)},
            counts={"positive": by_class.tolist(), "all": class_sums(rows).tolist()},
        )

    def state(self) -> dict[str, Tensor]:
        """The rows of `PointCounts`."""
        none = torch.zeros(0, 6, dtype=torch.int64, device=self.counts.device)
        return {"rows": torch.cat([none, *self.counts.rows])}

    def add(self, state: Mapping[str, Tensor]) -> None:
        """Add the rows of other images."""
        self.counts.rows.append(state["rows"].to(self.counts.device))


def _score(reading: str, value: float) -> Score:
    """The headline has a column in tables, the other readings have not."""
    if reading == HEADLINE:
        return Score(reading, "p-mIoU", value)
    kind = reading.removeprefix(f"{HEADLINE}_").replace("_", ", ")
    return Score(reading, f"p-mIoU ({kind})", value, column=False)


def ask_only(queries: Queries, classes: Sequence[int]) -> Queries:
    """The words of some classes, sorted, which become the classes 0 to c-1."""
    index = {one: place for place, one in enumerate(classes)}
    asked = [place for place, owner in enumerate(queries.owners) if owner in index]
    return Queries(
        text=queries.text[torch.tensor(asked, device=queries.text.device)],
        owners=tuple(index[queries.owners[place]] for place in asked),
        background=False,
        words=tuple(queries.words[place] for place in asked),
    )


def points_inside(maps: Float[Tensor, "c u v"], points: Points) -> Bool[Tensor, "c n"]:
    """Whether each point lies where a map, scaled to [0, 1] over all pixels, is above 0.5.

    A constant map says nothing, and no point lies inside.
    """
    height, width = points.size
    rows, columns = (pixels(points.y, height), pixels(points.x, width))
    values = sample(maps, points.size, rows.to(maps.device), columns.to(maps.device))
    low, high = extremes(maps, points.size)[:, :, None]
    inside: Tensor = values - low > THRESHOLD * (high - low)
    return inside


def pixels(position: Float64[np.ndarray, " n"], side: int) -> Int64[Tensor, " n"]:
    """The pixels that contain positions in [0, 1] along a side; the far border is the last's."""
    return torch.from_numpy(np.minimum(np.floor(position * side), side - 1).astype(np.int64))
