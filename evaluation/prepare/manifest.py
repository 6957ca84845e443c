"""The manifest of a prepared data set: a small file in the data root that records can refer to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from evaluation.data.card import Card
from evaluation.data.on_disk import OnDisk
from evaluation.prepare.verify import Census
from evaluation.setting.identity import describe
from evaluation.whole_files import write_text

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int64

SCHEMA = 1


@dataclass(frozen=True)
class Manifest:
    """What was verified. Everything but ``seen`` is the same for two people with the same data.

    reader: the reader and its fields, without the root. ids: a hash of the list of samples.
    labels: a hash of the decoded truth. pixels, appears: pixels and images by class (points,
    if it has those), the last being void (points that say no).
    seen: a hash of names, sizes and times of the files; if they have another, verify again.
    """

    schema: int
    dataset: str
    split: str
    expected: int | None
    images: int
    reader: dict[str, Any]
    ids: str
    labels: str
    pixels: dict[str, int]
    appears: dict[str, int]
    smallest: list[int]
    largest: list[int]
    seen: str

    def __post_init__(self) -> None:
        """Raise ValueError if the two counts are not of the same labels."""
        if self.pixels.keys() != self.appears.keys():
            raise ValueError("pixels and appears have other labels")

    @property
    def complete(self) -> bool:
        """Whether it is the whole split."""
        return self.images == self.expected


@dataclass(frozen=True)
class Head:
    """What every version of a manifest has."""

    schema: int


HEAD, MANIFEST = TypeAdapter(Head), TypeAdapter(Manifest)


def manifest_path(root: Path, dataset: str) -> Path:
    """Where the manifest of a data set lies."""
    return root / "manifests" / f"{dataset}.json"


def make_manifest(dataset: OnDisk, census: Census) -> Manifest:
    """The manifest of a data set that was just verified."""
    card = dataset.card
    return Manifest(
        schema=SCHEMA,
        dataset=card.name,
        split=card.split,
        expected=card.images,
        images=census.images,
        reader=_reader(dataset),
        ids=hashlib.sha256("\n".join(dataset.ids).encode()).hexdigest(),
        labels=census.digest,
        pixels=_by_name(card, census, census.pixels),
        appears=_by_name(card, census, census.appears),
        smallest=list(census.smallest),
        largest=list(census.largest),
        seen=fingerprint_files(dataset),
    )


def write_manifest(manifest: Manifest, root: Path) -> Path:
    """Write atomically into the data root."""
    path = manifest_path(root, manifest.dataset)
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n"
    write_text(path, text)
    return path


def read_manifest(root: Path, dataset: str) -> Manifest | None:
    """The manifest of a data set; None if there is none, or one of another version.

    Raises ValueError if it is broken: no JSON, a field that is missing or of another type.
    """
    path = manifest_path(root, dataset)
    try:
        content = path.read_bytes()
    except OSError:
        return None
    try:
        if HEAD.validate_json(content, strict=True).schema != SCHEMA:
            return None
        return MANIFEST.validate_json(content, strict=True)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        reason = f"{place}: {wrong['msg']}" if place else wrong["msg"]
        raise ValueError(f"{path} is no manifest: {reason[:1].lower()}{reason[1:]}") from error


def is_current(manifest: Manifest, dataset: OnDisk) -> bool:
    """Whether the files are those that were verified, read in the same way."""
    same = manifest.reader == _reader(dataset)
    return same and manifest.seen == fingerprint_files(dataset)


def fingerprint_files(dataset: OnDisk) -> str:
    """A hash of the names, sizes and times of all files; opens none."""
    seen = hashlib.sha256()
    for path in dataset.files(dataset.present):
        state = path.stat()
        seen.update(f"{path.name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def _reader(dataset: OnDisk) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(json.dumps(describe(dataset)))
    return {key: value for key, value in fields.items() if key not in {"root", "missing"}}


def _by_name(card: Card, census: Census, counts: Int64[np.ndarray, " n"]) -> dict[str, int]:
    return dict(zip((*card.labels, census.rest), counts.tolist(), strict=True))
