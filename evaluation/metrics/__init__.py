"""Metrics: pure integer counts under thin torchmetrics shells, so that processes merge exactly."""

from evaluation.metrics.confusion import ConfusionMatrix, Scores, confusion, scores
from evaluation.metrics.heatmap import HeatmapIoU, overlaps

__all__ = ["ConfusionMatrix", "HeatmapIoU", "Scores", "confusion", "overlaps", "scores"]
