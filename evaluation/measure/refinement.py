"""PAMR: maps that follow the edges of the image, in bands of bounded memory.

From the equations of Sec. 3.3 of Araslanov & Roth (Single-Stage Semantic Segmentation from Image
Labels, CVPR 2020).

Shapes: w words, u v rows and columns of a map, r c pixels of the prepared image, y x pixels of the
mask or of a band of it, n neighbours.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from evaluation.setting import Pamr
from gem.image import upsample

SHARPNESS = 0.1  # of the deviation of a neighbourhood: what differs by this much is unlike
LEAST = 1e-8  # keeps a constant neighbourhood from 0/0


def refined(
    maps: Float[Tensor, "w u v"],
    pixels: Float[Tensor, "3 r c"],
    rule: Pamr,
    size: tuple[int, int],
    rows: slice,
    *,
    room: int,
) -> Float[Tensor, "w y x"]:
    """Some rows of maps that are upsampled to (height, width) and refined by the image there.

    A band is computed with the rows that can change it, so that it equals those rows of the whole.
    ``room`` is how many numbers of upsampled maps may stand in memory at once.
    """
    around = slice(max(rows.start - rule.reach, 0), min(rows.stop + rule.reach, size[0]))
    inner = slice(rows.start - around.start, rows.stop - around.start)
    weights = affinity(upsample(pixels.to(maps), size, around), rule.dilations)
    found = maps.new_empty(len(maps), rows.stop - rows.start, size[1])
    step = max(room // ((around.stop - around.start) * size[1]), 1)
    for start in range(0, len(maps), step):
        part = upsample(maps[start : start + step], size, around)
        found[start : start + step] = propagate(part, weights, rule)[:, inner]
    return found


def affinity(image: Float[Tensor, "3 y x"], dilations: tuple[int, ...]) -> Float[Tensor, "n y x"]:
    """How alike each pixel and its neighbours are: positive, 1 in sum over the neighbours.

    The softmax of the mean over the channels of -abs(x - x_n) / (1e-8 + 0.1 s). s is the deviation
    of the 3 x 3 values of all dilations together, with their number less 1 in the denominator.
    """
    around = list(neighbours(image, dilations))
    values = len(around) + len(dilations)  # the pixel itself once with each dilation
    mean = (sum(around) + len(dilations) * image) / values
    squares = (
        sum((one - mean).square() for one in around) + len(dilations) * (image - mean).square()
    )
    scale = LEAST + SHARPNESS * (squares / (values - 1)).sqrt()
    unlike = torch.stack([((image - one).abs() / scale).mean(dim=0) for one in around])
    return (-unlike).softmax(dim=0)


def propagate(
    maps: Float[Tensor, "w y x"], weights: Float[Tensor, "n y x"], rule: Pamr
) -> Float[Tensor, "w y x"]:
    """Every pixel of every map becomes the weighted sum of its neighbours, ``steps`` times."""
    for _ in range(rule.steps):
        mixed = torch.zeros_like(maps)
        for weight, one in zip(weights, neighbours(maps, rule.dilations), strict=True):
            mixed.addcmul_(weight, one)
        maps = mixed
    return maps


def neighbours(
    maps: Float[Tensor, "w y x"], dilations: tuple[int, ...]
) -> Iterator[Float[Tensor, "w y x"]]:
    """The maps as each of eight neighbours sees them, for one dilation after the other.

    Beyond the border is the pixel at the border.
    """
    height, width = maps.shape[1:]
    far = max(dilations)
    padded = F.pad(maps[None], (far, far, far, far), mode="replicate")[0]
    for distance in dilations:
        for down in (-distance, 0, distance):
            for across in (-distance, 0, distance):
                if down or across:
                    top, left = far + down, far + across
                    yield padded[:, top : top + height, left : left + width]
