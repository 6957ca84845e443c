"""Pixel-adaptive mask refinement as an option; `evaluation.measure.refinement` computes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gem.options import Iterations, Pixels, options


@options
class Pamr:
    """Maps follow the edges of the image (Araslanov & Roth, CVPR 2020, Sec. 3.3).

    Each step replaces a pixel by a mean of its neighbours, weighted by how like it they look.

    steps: how many. dilations: distances of the eight neighbours, in pixels of the mask. The
        defaults are those of NACLIP (and of SCLIP, where it is off).
    """

    steps: Iterations = 10
    dilations: Annotated[tuple[Pixels, ...], Field(min_length=1, max_length=64)] = (8, 16)

    @property
    def reach(self) -> int:
        """How far away, in pixels, something can change a pixel."""
        return self.steps * max(self.dilations)
