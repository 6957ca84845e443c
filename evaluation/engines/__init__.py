"""Who counts the samples of a pass: this process, Ray's workers, or the ranks of torchrun.

Counts are integers. Whoever counts which samples, their sums are the same.
"""

from evaluation.engines.local import Local
from evaluation.engines.ray_engine import Ray
from evaluation.engines.torchrun import Torchrun

__all__ = ["Local", "Ray", "Torchrun"]
