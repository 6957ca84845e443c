"""What each method finds of the words in a picture.

Shapes: w words, y x pixels of the picture as it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from evaluation.playground.drawing import Drawn, drawn
from gem.options import changed

if TYPE_CHECKING:
    from jaxtyping import Float32, Integer

    from evaluation.playground.picture import Picture
    from evaluation.playground.question import Question
    from gem.methods.method import Method


@dataclass(frozen=True, eq=False)
class Found:
    """What one method finds.

    scores: the cosine of each word at every pixel. labels: the protocol's decision, k for the k-th
    word and 0 for none of them. seconds: what the method took, without the image's forward pass.
    """

    method: Method
    picture: Picture
    scores: Float32[np.ndarray, "w y x"]
    labels: Integer[np.ndarray, "y x"]
    seconds: float

    @property
    def title(self) -> str:
        """The method's name."""
        return self.method.title

    @property
    def variant(self) -> str:
        """Its options that are not the defaults."""
        return changed(self.method)

    @cached_property
    def drawn(self) -> Drawn:
        """The pictures, drawn once."""
        return drawn(self.picture.shown, self.scores, self.labels)


@dataclass(frozen=True)
class Spent:
    """What an answer took, in seconds, and what of it was new.

    passes: forward passes of the picture, which took ``passing``. texts: words that were embedded.
    methods: titles of those that were computed.
    """

    total: float
    passes: int
    passing: float
    texts: int
    methods: tuple[str, ...]

    @property
    def said(self) -> str:
        """The time, and what was computed in it."""
        new = []
        if self.passes:
            new.append(f"the forward pass ({1000 * self.passing:.0f} ms)")
        if self.texts:
            new.append("one word" if self.texts == 1 else f"{self.texts} words")
        new += self.methods
        what = f"computed: {', '.join(new)}" if new else "nothing had to be computed"
        return f"{1000 * self.total:.0f} ms; {what}"


@dataclass(frozen=True)
class Ranked:
    """A word at a point: its score, and its share among all words by the protocol's softmax."""

    word: str
    place: int
    score: float
    share: float


@dataclass(frozen=True)
class Answer:
    """All that the page shows of one question about one picture.

    logit_scale: of the protocol's softmax. random: the weights are, so that nothing is found.
    """

    picture: Picture
    question: Question
    found: tuple[Found, ...]
    spent: Spent
    model: str
    logit_scale: float
    random: bool

    def ranking(self, one: Found, point: tuple[float, float]) -> list[Ranked]:
        """The words at a point, the best first; the point as shares of width and height."""
        row, column = pixel(point, one.labels.shape)
        scores = one.scores[:, row, column].astype(np.float64)
        powers = np.exp(self.logit_scale * (scores - scores.max()))
        shares = powers / powers.sum()
        ranked = [
            Ranked(word, place, float(scores[place]), float(shares[place]))
            for place, word in enumerate(self.question.words)
        ]
        return sorted(ranked, key=lambda one: -one.score)

    def label(self, one: Found, point: tuple[float, float]) -> str | None:
        """The word that the label map has at a point; None where it has none."""
        found = int(one.labels[pixel(point, one.labels.shape)])
        return self.question.words[found - 1] if found else None


def pixel(point: tuple[float, float], shape: tuple[int, ...]) -> tuple[int, int]:
    """Row and column of a point, which is given as shares of width and height."""
    across, down = (min(max(share, 0.0), 1.0) for share in point)
    return min(int(down * shape[0]), shape[0] - 1), min(int(across * shape[1]), shape[1] - 1)
