"""Segmenters that are models of their own: what the paper's tables compare GEM with.

All of them come from the package `transformers`, an optional extra that is imported when one of
them is used.
"""

from gem.systems.clipseg import ClipSeg
from gem.systems.gem_sam import GemSam
from gem.systems.grounding_dino import GroundingDino
from gem.systems.grounding_sam import GroundingSam
from gem.systems.groupvit import GroupVit
from gem.systems.sam import Sam

__all__ = ["ClipSeg", "GemSam", "GroundingDino", "GroundingSam", "GroupVit", "Sam"]
