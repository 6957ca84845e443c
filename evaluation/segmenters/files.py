"""Label maps and maps of scores that were read from files, as encoded images.

Shapes: y x pixels, w words, u v rows and columns of a map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from evaluation.data.card import VOID
from evaluation.data.encoding import Encoding
from evaluation.data.mask_files import read_mask
from gem.vocabulary import Queries

# numpy parses the header of an array with `ast`, which some versions of Python do not let two
# threads do at once ("AST constructor recursion depth mismatch").
HEADERS = Lock()
USED = ("scores", "words")


@dataclass(frozen=True)
class LabelImage:
    """A decided image."""

    labels: Int[Tensor, "y x"]
    pixels: None = None

    def scores(self, queries: Queries) -> Float[Tensor, "w y x"]:
        """1 where a pixel has the label that the word stands for, else 0."""
        return (self.labels == queries.text[:, 2, None, None]).float()

    def nothing(self, queries: Queries) -> None:
        """None: there are labels."""


@dataclass(frozen=True)
class ScoreImage:
    """Maps of scores, one for each word of the vocabulary; ``root`` is named in errors."""

    maps: Float[Tensor, "w u v"]
    root: str
    labels: None = None
    pixels: None = None

    def scores(self, queries: Queries) -> Float[Tensor, "q u v"]:
        """The maps of the words asked; `Predictions.embed` numbers them.

        Raises ValueError if the files have another number of maps than the vocabulary has words.
        """
        count = int(queries.text[0, 1])
        if count != len(self.maps):
            raise ValueError(
                f"segmenter.root={self.root}: a file has {len(self.maps)} maps of scores, but the "
                f"vocabulary has {count} words"
            )
        return self.maps[queries.text[:, 0].long()]

    def nothing(self, queries: Queries) -> None:
        """None: the background is decided by the protocol."""


def read_labels(path: Path, size: tuple[int, int], encoding: Encoding) -> Int[Tensor, "y x"]:
    """Labels as the data set counts them, of an image of (height, width).

    Raises ValueError, naming the file, for another size, an id that is no label's, and void.
    """
    stored = read_mask(path)
    if stored.shape != size:
        raise ValueError(
            f"prediction {path.name} is {stored.shape[0]}x{stored.shape[1]} but its image is "
            f"{size[0]}x{size[1]} (height x width)"
        )
    labels = encoding.decode(stored, name=path.name)
    if (labels == VOID).any():
        raise ValueError(
            f"prediction {path.name} leaves {(labels == VOID).sum()} pixels void, expected a "
            "label for every pixel"
        )
    return torch.from_numpy(labels.astype("int64"))


def check_words(path: Path, said: tuple[str, ...] | None, words: Sequence[str]) -> None:
    """Raise ValueError if what a file of scores says of its maps are other words."""
    if said is None or said == tuple(words):
        return
    pairs = zip_longest(said, words)
    number, (found, expected) = next((n, pair) for n, pair in enumerate(pairs) if len({*pair}) > 1)
    raise ValueError(
        f"{path.name}: map {number} is of {found!r}, but the vocabulary has {expected!r} there"
    )


def read_words(path: Path) -> tuple[str, ...] | None:
    """The words of the maps of a file; None if it does not say them."""
    return _words_in(path, _read(path))


def read_scores(path: Path, words: Sequence[str] | None) -> Float[Tensor, "w u v"]:
    """The array ``scores`` of an ``.npz``; ``words`` are what the first file of the folder says.

    Raises ValueError, naming the file, if it is none, or if it says other words.
    """
    found = _read(path)
    if "scores" not in found:
        names = [name if name.isprintable() else repr(name) for name in found]
        raise ValueError(f"{path} has no array scores, but {', '.join(names) or 'none'}")
    scores = found["scores"]
    if scores.ndim != 3 or not np.issubdtype(scores.dtype, np.floating) or not scores.size:
        raise ValueError(
            f"{path} has scores of the shape {scores.shape} and type {scores.dtype}, expected "
            "floating-point maps [words, rows, columns]"
        )
    with np.errstate(over="ignore"):  # what is too large for float32 is infinite: refused below
        single = scores.astype("float32")
    if not np.isfinite(single).all():
        raise ValueError(f"{path} has scores that are not finite")
    if (said := _words_in(path, found)) is not None and said != words:
        raise ValueError(f"{path} says other words of its maps than the first file of the folder")
    return torch.from_numpy(single)


def _words_in(path: Path, found: dict[str, np.ndarray[Any, Any]]) -> tuple[str, ...] | None:
    if "words" not in found:
        return None
    words = found["words"]
    if words.ndim != 1 or words.dtype.kind != "U":
        raise ValueError(
            f"{path} has words of the shape {words.shape} and type {words.dtype}, expected text "
            "[words]"
        )
    return tuple(words.tolist())


def _read(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of an ``.npz`` that are used; nothing pickled is read."""
    try:
        with HEADERS, path.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
            return {name: found[name] if name in USED else np.empty(0) for name in found.files}
    except Exception as error:  # zipfile, zlib and numpy raise anything for damaged bytes
        said = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path} cannot be read as scores: {said}") from error
