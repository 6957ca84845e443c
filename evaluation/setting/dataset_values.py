"""What the published settings of a method set differently from data set to data set."""

from __future__ import annotations

from evaluation.setting.protocol import LogitScale
from gem.options import Factor, Fraction, Pixels, Weight, options


@options
class DatasetValues:
    """The values of one data set, an entry of ``by_dataset`` in a config.

    A config reads each as ``${by_dataset:NAME,DEFAULT}``.

    short_side, window, stride, logit_scale, background, area_threshold: of the protocol.
    rcs_share, rcs_factor: lambda and tau of ResCLIP's residual attention. alpha: the weight of
        PEARL's second term.
    own_background: threshold of a segmenter that decides by a rule of its own; null for none.
    """

    short_side: Pixels | None = None
    window: Pixels | None = None
    stride: Pixels | None = None
    logit_scale: LogitScale | None = None
    background: Fraction | None = None
    area_threshold: Fraction | None = None
    rcs_share: Fraction | None = None
    rcs_factor: Factor | None = None
    alpha: Weight | None = None
    own_background: Fraction | None = None
