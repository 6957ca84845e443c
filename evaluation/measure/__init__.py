"""From images to integer counts: batches, decisions, accumulators."""

from evaluation.measure.metric import ByTask, Thresholds

__all__ = ["ByTask", "Thresholds"]
