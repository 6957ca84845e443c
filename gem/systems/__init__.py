"""Segmenters that are models of their own: what the paper's tables compare GEM with.

All of them come from the package `transformers`, an optional extra that is imported when one of
them is used.
"""

from gem.systems.clipseg import ClipSeg
from gem.systems.groupvit import GroupVit

__all__ = ["ClipSeg", "GroupVit"]
