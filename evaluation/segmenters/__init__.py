"""Segmenters that are no backbone with a method: `gem.Patches` is that one."""

from evaluation.segmenters.predictions import Predictions

__all__ = ["Predictions"]
