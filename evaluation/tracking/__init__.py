"""Trackers of experiments: told of records that are already written."""

from evaluation.tracking.tracker import NoTracker, Tracker
from evaluation.tracking.wandb import Wandb

__all__ = ["NoTracker", "Tracker", "Wandb"]
