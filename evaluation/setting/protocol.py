"""How an evaluation turns images into decisions: every choice has a name and a value.

Shapes: w words, c classes asked, y x pixels of the mask (or of a band of it).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import SkipValidation, Strict

from evaluation.setting.pamr import Pamr
from gem.options import Flag, Fraction, between, options
from gem.resize import Resize
from gem.windows import SlidingWindow, Tiling, tiling

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Bool, Float, Int64
    from torch import Tensor

    from gem.vocabulary import Queries

    Certainty = Callable[[], Float[Tensor, "y x"]]

# With `gem.segmenter.LARGEST` no logit overflows float32.
LogitScale = Annotated[float, Strict(), between(1e-6, 1e6)]


@options
class EvalProtocol:
    """The paper's protocol unless set otherwise (Sec. 4.1).

    name: for tables and records.
    resize: the size that the model sees.
    windows: null sees the whole image at once; else `gem.SlidingWindow`.
    min_max: scale each word's map to [0, 1] before anything else, as the release's ``forward``
        does. The paper's threshold cannot be reached on such maps without a logit scale.
    pamr: refine the maps at the size of the mask, before the scale; null does not.
    logit_scale: what cosines are multiplied by before the softmax. The paper does not say; 100 is
        CLIP's own trained scale and that of the author's code. 1e-6 to 1e6.
    reduce: how the softmax probabilities of several words of a class become one: ``max`` (SCLIP
        and its family) or ``mean``.
    area_threshold: share of all pixels that are no background; a class with no more than that has
        probability 0, and its pixels go to their next best class (SCLIP, SC-CLIP). Only with words
        for the background; null leaves the rule out.
    background: probability under which a pixel is background, for data sets whose truth has a
        background class; null where there is none or words alone decide. The paper's 0.85.
    source: where the background's threshold comes from.
    tuned: the file of `scripts/tune.py` that the values come from; a record says how many of its
        samples they were tuned on.
    """

    name: str
    resize: SkipValidation[Resize]
    windows: SlidingWindow | None = None
    min_max: Flag = False
    pamr: Pamr | None = None
    logit_scale: LogitScale = 100.0
    reduce: Literal["max", "mean"] = "max"
    area_threshold: Fraction | None = None
    background: Fraction | None = 0.85
    source: str = "paper"
    tuned: str | None = None

    @property
    def tiling(self) -> Tiling | None:
        """How the model sees a resized image: whole, or through windows, which may be padded."""
        return tiling(self.resize, self.windows)

    def answer(
        self,
        cosines: Float[Tensor, "w y x"],
        queries: Queries,
        kept: Bool[Tensor, " c"] | None = None,
    ) -> tuple[Int64[Tensor, "y x"], Certainty]:
        """The best class of every pixel, and what gives its probability, by softmax over all words.

        The probability costs more than the class: it is computed when it is asked for. Classes that
        are not ``kept`` have probability 0.
        """
        import torch  # late: building a protocol must not wait for it

        logits, owner = cosines * self.logit_scale, queries.class_index
        if self.reduce == "max":  # the class of the best word; no need of the other probabilities
            rivals = logits
            if kept is not None:
                rivals = logits.masked_fill(~kept[owner][:, None, None], -torch.inf)
            peak, word = rivals.max(dim=0)
            return owner[word], partial(_probability, peak, logits)
        shares = [words.mean(dim=0) for words in queries.by_class(logits.softmax(dim=0))]
        found = torch.stack(shares)
        if kept is not None:
            found = found * kept[:, None, None]
        certainty, best = found.max(dim=0)
        return best, lambda: certainty

    def large(self, areas: Int64[Tensor, " c"]) -> Bool[Tensor, " c"]:
        """Which classes the rule of small areas keeps, by the pixels of each in the whole image."""
        kept: Tensor = areas.double() > (self.area_threshold or 0) * areas[1:].sum().double()
        kept[0] = True  # the background
        return kept

    def label(
        self, best: Int64[Tensor, "y x"], certainty: Certainty, queries: Queries
    ) -> Int64[Tensor, "y x"]:
        """Labels with a background, from the best classes and, under a threshold, their certainty.

        Raises ValueError if neither a threshold nor words say where the background is.
        """
        if self.background is None and not queries.background:
            raise ValueError(
                f"protocol.background is null in protocol {self.name}, but the data set has a "
                "background class: set a threshold in [0, 1]"
            )
        labels = best if queries.background else best + 1
        return labels if self.background is None else labels * (certainty() >= self.background)


def _probability(
    peak: Float[Tensor, "y x"], logits: Float[Tensor, "w y x"]
) -> Float[Tensor, "y x"]:
    """The softmax over all words at a word whose logit is ``peak``."""
    return (peak - logits.logsumexp(dim=0)).exp()
