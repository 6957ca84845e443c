"""The source code that decides numbers, as one hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from evaluation import places

# A record is only valid for the code that made it. These packages turn images into counts; what is
# built on top of them (records, sweeps, tables, trackers) changes no number.
DECISIVE = (
    "gem",
    "evaluation/data",
    "evaluation/metrics",
    "evaluation/setting",
    "evaluation/segmenters",
    "evaluation/measure",
)


@cache
def code_fingerprint() -> str:
    """Twelve hexadecimal digits for the source files and data set cards that decide numbers.

    A record that other code has made is not taken for one of this code, although its key is the
    same; a comment counts as other code.
    """
    found = hashlib.sha256()
    for name, path in sorted(_files()):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        found.update(f"{name} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()[:12]


def _files() -> Iterator[tuple[str, Path]]:
    """Each file with its name in the repository, which is the same for an installed wheel."""
    for package in DECISIVE:
        for path in (places.ROOT / package).rglob("*.py"):
            yield path.relative_to(places.ROOT).as_posix(), path
    for path in places.CARDS.rglob("*.yaml"):
        yield f"datasets/{path.relative_to(places.CARDS).as_posix()}", path
