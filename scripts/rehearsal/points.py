"""The two tables of OpenImages V7 with drawn points: as many classes as the official one has.

How many points an image has, and of how many classes, is an assumption: about what the whole data
set has for each of its images, 66.4 million points for 1.4 million.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from evaluation.whole_files import write_whole

CLASSES = 5827
POINTS = 47  # of an image
TOGETHER = 8  # classes of an image
ANSWERS, SHARES = ("yes", "no", "unsure"), (0.3, 0.65, 0.05)
HEADER = "ImageId,X,Y,Label,EstimatedYesNo,Source,YesVotes,NoVotes,UnsureVotes,TextLabel"
ROW = 75  # bytes of a row, about


def write_points(path: Path, ids: Sequence[str], seed: int) -> None:
    """The table of points, image after image."""

    def lines() -> Iterator[bytes]:
        yield f"{HEADER}\n".encode()
        random = np.random.default_rng((seed, CLASSES))
        for place, name in enumerate(ids):
            yield "".join(_rows(random, place, name)).encode()

    write_whole(path, lambda stream: stream.writelines(lines()))


def write_classes(path: Path) -> None:
    """The table of names."""
    rows = [f"{label_of(number)},Drawn class {number}\n" for number in range(CLASSES)]
    text = "".join(["LabelName,DisplayName\n", *rows])
    write_whole(path, lambda stream: stream.write(text.encode()))


def label_of(number: int) -> str:
    """A label of the form that the official ones have."""
    return f"/m/0{number:05x}"


def _rows(random: np.random.Generator, place: int, name: str) -> Iterator[str]:
    """Points of one image; every class is the first of some image if there are enough images."""
    some = (random.random(TOGETHER) ** 3 * CLASSES).astype(int)  # few classes have most points
    some[0] = place % CLASSES
    of = random.integers(0, TOGETHER, POINTS)
    of[:TOGETHER] = range(TOGETHER)
    where = random.random((POINTS, 2))
    answers = random.choice(len(ANSWERS), POINTS, p=SHARES)
    for number, (x, y), answer in zip(
        some[of].tolist(), where.tolist(), answers.tolist(), strict=True
    ):
        votes = ",".join("1" if answer == one else "0" for one in range(len(ANSWERS)))
        yield f"{name},{x:.6f},{y:.6f},{label_of(number)},{ANSWERS[answer]},ih,{votes},\n"
