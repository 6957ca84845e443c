"""How good the labels of one image are.

Shapes: y x pixels of the truth.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evaluation.data import VOID, Card

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool, Integer


def image_iou(
    labels: Integer[np.ndarray, "y x"], truth: Integer[np.ndarray, "y x"], card: Card
) -> tuple[float | None, list[float | None]]:
    """Of one image: mean IoU over the labels in truth or prediction, and each label's.

    The mean is None where all of the truth is void.
    """
    import torch

    from evaluation.metrics import confusion, scores

    pair = (torch.from_numpy(part.astype("int64")) for part in (labels, truth))
    # A column more where pixels may have no label: they are found by no class.
    unpredicted = not card.background
    found = scores(confusion(*pair, labels=len(card.labels), void=VOID, unpredicted=unpredicted))
    return (None if math.isnan(found.miou) else found.miou), list(found.iou)


def map_iou(found: Bool[np.ndarray, "y x"], truth: Integer[np.ndarray, "y x"], label: int) -> float:
    """IoU in [0, 1] of where a heat map is over a half with the pixels of one label.

    Void pixels are left out; 0 where neither has a pixel.
    """
    valid, there = truth != VOID, truth == label
    either = int(((found | there) & valid).sum())
    return int((found & there).sum()) / either if either else 0.0
