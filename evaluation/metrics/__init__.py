"""Metrics: integer counts, and the scores that are computed from them.

`evaluation.metrics.merged` has them as metrics of torchmetrics, so that processes merge exactly.
What is named here is imported when it is asked for: the names of readings need no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluation.metrics.heatmap import HeatmapIoU, overlaps
    from evaluation.metrics.matrix import ConfusionMatrix, Scores, confusion, scores
    from evaluation.metrics.points import PointCounts, count_points, readings
    from evaluation.metrics.score import Score

__all__ = [
    "ConfusionMatrix",
    "HeatmapIoU",
    "PointCounts",
    "Score",
    "Scores",
    "confusion",
    "count_points",
    "overlaps",
    "readings",
    "scores",
]
_MODULES = {
    "heatmap": ("HeatmapIoU", "overlaps"),
    "matrix": ("ConfusionMatrix", "Scores", "confusion", "scores"),
    "points": ("PointCounts", "count_points", "readings"),
    "score": ("Score",),
}


def __getattr__(name: str) -> Any:
    """One of the names above, from its module."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
