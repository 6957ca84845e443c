"""Metrics: pure integer counts under thin torchmetrics shells, so that processes merge exactly."""

from evaluation.metrics.confusion import ConfusionMatrix, Scores, confusion, scores
from evaluation.metrics.heatmap import HeatmapIoU, overlaps
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
