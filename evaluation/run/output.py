"""Where results go."""

from __future__ import annotations

from typing import Literal

from gem.options import Flag, Positive, options


@options
class OutputOptions:
    """Where results go, and how often a long pass saves its counts.

    output: the folder of records. labels: of images without truth that are labelled.
    force: evaluate again although a valid record is there. reuse: take a record of other code, but
    the same data, weights and packages, as it is. save_every: seconds after which a long
    pass saves its counts. save: also write something of each image: ``images`` (its counts, in
    one file beside the record), ``predictions`` (label maps) or ``scores`` (maps of scores); null
    writes none. predictions: the folder of the last two.
    """

    output: str
    labels: str
    force: Flag = False
    reuse: Flag = False
    save_every: Positive = 120.0
    save: Literal["images", "predictions", "scores"] | None = None
    predictions: str = "results/predictions"
