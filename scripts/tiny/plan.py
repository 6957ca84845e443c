"""What a training of the tiny model does; known to all of its processes."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """What one run does; `minutes` may end it before `steps`, the rate decayed all the same.

    start: the folder of a model that is trained further; null starts from random weights.
    """

    out: Path
    steps: int
    minutes: float
    scenes: int
    batch: int
    rate: float
    seed: int
    processes: int
    cache: Path | None
    precision: str
    start: Path | None
