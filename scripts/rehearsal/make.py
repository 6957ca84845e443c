"""The drawn files of a data set: which there are, how much disk they take, and writing them.

A modest number of distinct drawings is made of each size. Every file is a copy of one of them with
its own id in a comment: no two files are equal, and none is a link, so that disk and cache have to
do what they would have to do for photographs.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rehearsal import points
from rehearsal.drawing import Drawing, draw, named
from rehearsal.folder import Wanted, begin
from rehearsal.sets import Kind, ids_of, kind_of, share_out

from evaluation.data.on_disk import OnDisk
from evaluation.data.openimages import PointLabels
from evaluation.data.pairs import Pairs
from evaluation.data.sample import Dataset
from evaluation.prepare import context
from evaluation.whole_files import write_text

DRAWINGS = 64  # distinct ones of a data set, about
BLOCK = 4096  # bytes of a disk, which files fill up
WRITERS = 4  # threads

File = tuple[Path, str, bytes]
"""A path, the id of its sample, and the drawing that it is of."""


@dataclass(frozen=True)
class Plan:
    """The files of a rehearsal. chosen: of each sample the number of its drawing."""

    wanted: Wanted
    dataset: OnDisk
    ids: Sequence[str]
    chosen: Sequence[int]
    drawings: Mapping[int, Drawing]

    @property
    def root(self) -> Path:
        """The data root."""
        return Path(self.dataset.root)

    def missing(self) -> list[File]:
        """The files that are not there yet; one that is there is whole."""
        return [one for one in self.files() if not one[0].is_file()]

    def files(self) -> Iterator[File]:
        """All images and their masks."""
        for name, number in zip(self.ids, self.chosen, strict=True):
            drawing = self.drawings[number]
            yield self.dataset.image_path(name), name, drawing.image
            if isinstance(self.dataset, Pairs):
                yield self._truth_path(self.dataset, name), name, drawing.truth

    def size(self) -> int:
        """Bytes of disk that the files take which are not there yet; tables about."""
        missing = self.missing()
        files = sum(-(-len(content) // BLOCK) * BLOCK for _, _, content in missing)
        if isinstance(self.dataset, PointLabels):
            there = (self.root / self.dataset.points).is_file()
            return files + (not there) * len(self.ids) * points.POINTS * points.ROW
        masks = sum(path.suffix == ".mat" for path, _, _ in missing)  # that are made of them
        return files + masks * BLOCK

    def _truth_path(self, dataset: Pairs, name: str) -> Path:
        if self.wanted.dataset == "context":
            return self.root / context.MATS / f"{name}.mat"
        return dataset.mask_path(name)


def plan(wanted: Wanted, dataset: OnDisk) -> Plan:
    """Choose a drawing for each sample, and draw. Raises ValueError for too high a count."""
    ids, kind = ids_of(dataset, wanted.dataset, wanted.count, wanted.seed), kind_of(wanted.dataset)
    copies = share_out(kind.sizes, DRAWINGS)
    shapes = [size for size, some in zip(kind.sizes, copies, strict=True) for _ in range(some)]
    chance = [
        size[2] / some for size, some in zip(kind.sizes, copies, strict=True) for _ in range(some)
    ]
    dice = random.Random(f"{wanted.seed} {wanted.dataset}")  # noqa: S311 no secret
    chosen = dice.choices(range(len(shapes)), chance, k=len(ids))
    labels = _labels(kind, wanted.seed, len(shapes))
    drawings = {
        number: draw((wanted.seed, number), shapes[number][:2], kind, labels[number])
        for number in sorted(set(chosen))
    }
    return Plan(wanted, dataset, ids, chosen, drawings)


def under(dataset: Dataset, root: Path) -> OnDisk:
    """The same reader of another root; samples that were not drawn are left out."""
    assert isinstance(dataset, Pairs | PointLabels)  # noqa: S101 all of `NAMES` are
    return replace(dataset, root=str(root), missing="skip")


def _labels(kind: Kind, seed: int, drawings: int) -> list[list[int]]:
    """The labels of the regions of each drawing: every label comes as often as the others."""
    mixed = np.random.default_rng((seed, 0)).permutation(kind.labels).tolist()
    rounds = -(-drawings * kind.shown // len(mixed)) if mixed else 0
    row = iter(mixed * rounds)
    return [[next(row, 0) for _ in range(kind.shown)] for _ in range(drawings)]


def make(plan: Plan, advance: Callable[[int], None] = lambda _: None) -> int:
    """Write what is missing, then lists and tables; how many files were missing."""
    begin(plan.root, plan.wanted)
    todo = plan.missing()
    for folder in {path.parent for path, _, _ in todo}:
        folder.mkdir(parents=True, exist_ok=True)
    pool = ThreadPoolExecutor(WRITERS)
    try:
        for _ in pool.map(_write, todo):
            advance(1)
    finally:
        pool.shutdown(cancel_futures=True)
    _write_lists(plan)
    return len(todo)


def _write(file: File) -> None:
    """A file, whole or not there. Not synced: lost, it is drawn again, and is the same."""
    path, name, content = file
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(named(content, name))
    part.replace(path)


def _write_lists(plan: Plan) -> None:
    """Lists and tables that are not there; those that are there are of the same ids."""
    dataset, root = plan.dataset, plan.root
    if isinstance(dataset, PointLabels):
        if not (root / dataset.classes).is_file():
            points.write_classes(root / dataset.classes)
        if not (root / dataset.points).is_file():
            points.write_points(root / dataset.points, plan.ids, plan.wanted.seed)
    elif plan.wanted.dataset == "voc" and isinstance(dataset, Pairs):
        listing = root / str(dataset.listing)
        if not listing.is_file():
            write_text(listing, "".join(f"{name}\n" for name in plan.ids))
