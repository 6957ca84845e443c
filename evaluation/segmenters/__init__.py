"""Segmenters that are no backbone with a method: `gem.Patches` is that one."""

from evaluation.segmenters.predictions import Predictions
from evaluation.segmenters.stand_in import StandIn

__all__ = ["Predictions", "StandIn"]
