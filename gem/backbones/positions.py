"""Position embeddings on another grid than the trained one: the field does it in four ways.

Shapes: p patches row by row, c width.
"""

from typing import Literal

import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

Positions = Literal["antialias", "bicubic", "bilinear", "plain"]
OFFSET = 0.1  # that DINO adds to the sides against rounding, and with it all who took over its code


def resize_positions(
    positions: Float[Tensor, "p c"],
    trained: tuple[int, int],
    grid: tuple[int, int],
    kind: Positions,
) -> Float[Tensor, "q c"]:
    """From the grid (rows, columns) that they were trained on to another; corners not aligned.

    antialias: bicubic with antialias (the release of GEM).
    bicubic: by scale factors of (side + 0.1) / trained side, as DINO, SCLIP, ClearCLIP, NACLIP,
        ResCLIP and ProxyCLIP do: the grid is sampled a little off its places.
    bilinear: CLIP Surgery.
    plain: bicubic to exactly the grid, as BLIP's own code and that of `transformers` do.
    """
    plane = rearrange(positions, "(y x) c -> 1 c y x", y=trained[0])
    if kind == "bicubic":
        rows, columns = ((side + OFFSET) / old for side, old in zip(grid, trained, strict=True))
        plane = F.interpolate(plane, scale_factor=(rows, columns), mode="bicubic")
    elif kind == "plain":
        plane = F.interpolate(plane, size=grid, mode="bicubic")
    elif kind == "bilinear":
        plane = F.interpolate(plane, size=grid, mode="bilinear")
    else:
        plane = F.interpolate(plane, size=grid, mode="bicubic", antialias=True)
    return rearrange(plane, "1 c y x -> (y x) c")
