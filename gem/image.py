"""Images on their way into a model, maps on their way out.

Shapes: y x pixels of an image or mask, u v rows and columns of patches, w maps, n single pixels.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, Int64
from PIL import Image
from torch import Tensor

from gem.pixels import as_rgb
from gem.resize import Filter

# Cosines are float32: a map that spans less than this says nothing.
ROUNDING = 1e-6


def to_input(
    image: Image.Image,
    size: tuple[int, int],
    *,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    resampling: Filter = "pillow_bicubic",
) -> Float[Tensor, "3 y x"]:
    """Resize an image to (height, width) and normalise it.

    ``pillow_bicubic`` has an antialias, ``opencv_bilinear`` none; both round to 8 bits. Raises
    ValueError for an image whose range of values is unknown (`gem.pixels`).
    """
    height, width = size
    rgb = as_rgb(image)
    if resampling == "opencv_bilinear":
        import cv2  # late: only the protocols of the mmseg family need it

        resized = cv2.resize(np.array(rgb), (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        resized = np.array(rgb.resize((width, height), Image.Resampling.BICUBIC))
    pixels = torch.from_numpy(resized).permute(2, 0, 1).float() / 255
    return (pixels - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]


def upsample(
    maps: Float[Tensor, "w u v"], size: tuple[int, int], rows: slice | None = None
) -> Float[Tensor, "w y x"]:
    """Bilinear to (height, width), corners not aligned: a patch's value sits at its centre.

    ``rows`` gives a band of the result only, equal to the same rows of the whole, so that maps of
    many classes over a large image never stand in memory at once.
    """
    height, width = size
    wanted = torch.arange(height, device=maps.device)[rows or slice(None)].double()
    source = ((wanted + 0.5) * (maps.shape[1] / height) - 0.5).clamp_min(0)
    above = source.long()
    below = (above + 1).clamp_max(maps.shape[1] - 1)
    share = (source - above).to(maps.dtype)[:, None]
    band = torch.lerp(maps[:, above], maps[:, below], share)
    if band.is_cuda:  # the kernel of lines has one thread for each column there
        return F.interpolate(band[None], size=(len(wanted), width), mode="bilinear")[0]
    lines = band.flatten(end_dim=1)[None]  # the kernel of planes would read every row twice
    return F.interpolate(lines, size=width, mode="linear").view(len(maps), len(wanted), width)


@dataclass(frozen=True)
class Axis:
    """Where n pixels lie between the centres of patches along rows or columns.

    The value of a pixel is ``first + share * (second - first)``.
    """

    first: Int64[Tensor, " n"]
    second: Int64[Tensor, " n"]
    share: Float64[Tensor, " n"]


def sample(
    maps: Float[Tensor, "w u v"],
    size: tuple[int, int],
    rows: Int64[Tensor, " n"],
    columns: Int64[Tensor, " n"],
) -> Float64[Tensor, "w n"]:
    """The values of `upsample` at n pixels, without the other pixels."""
    nodes, (down, across) = maps.double(), _axes(maps, size, rows, columns)
    above, below = (
        torch.lerp(nodes[:, line, across.first], nodes[:, line, across.second], across.share)
        for line in (down.first, down.second)
    )
    return torch.lerp(above, below, down.share)


def extremes(maps: Float[Tensor, "w u v"], size: tuple[int, int]) -> Float64[Tensor, "2 w"]:
    """The lowest and the highest value of each map of `upsample`, from few of its pixels.

    Between four neighbouring patches a bilinear map is linear along rows and along columns, so
    that over the pixels there it is lowest and highest at one of the outermost: those next to a
    patch's centre.
    """
    outer = [
        _next_to_centres(*sides).to(maps.device) for sides in zip(maps.shape[1:], size, strict=True)
    ]
    down, across = _axes(maps, size, *outer)
    found = []
    for nodes in maps.double():  # one at a time: maps of windows have a node for every pixel
        lines = torch.lerp(nodes[down.first], nodes[down.second], down.share[:, None])
        values = torch.lerp(lines[:, across.first], lines[:, across.second], across.share)
        found.append(torch.stack(values.aminmax()))
    return torch.stack(found, dim=1)


def _axes(
    maps: Float[Tensor, "w u v"],
    size: tuple[int, int],
    rows: Int64[Tensor, " r"],
    columns: Int64[Tensor, " c"],
) -> tuple[Axis, Axis]:
    """Rows and columns as `upsample` itself places them: read off its result for unit maps."""
    units = [torch.eye(side, device=maps.device) for side in maps.shape[1:]]
    down = upsample(units[0][:, :, None], (size[0], 1))[:, rows, 0]
    across = upsample(units[1][:, None], (1, size[1]))[:, 0, columns]
    return _axis(down), _axis(across)


def _axis(shares: Float[Tensor, "u n"]) -> Axis:
    first = (shares > 0).int().argmax(dim=0)
    second = (first + 1).clamp_max(len(shares) - 1)
    return Axis(first, second, shares.gather(0, second[None])[0].double())


def _next_to_centres(patches: int, pixels: int) -> Int64[Tensor, " n"]:
    """The pixels on both sides of each patch's centre, along one axis; exact, in integers."""
    centres = (2 * np.arange(patches) + 1) * pixels - patches  # times 2 * patches
    sides = np.concatenate([centres // (2 * patches), -(-centres // (2 * patches))])
    return torch.from_numpy(np.unique(sides.clip(0, pixels - 1)))


def min_max(maps: Float[Tensor, "w y x"]) -> Float[Tensor, "w y x"]:
    """Scale each map to [0, 1] on its own; one that is constant but for rounding becomes 0."""
    low = maps.amin(dim=(-2, -1), keepdim=True)
    span = maps.amax(dim=(-2, -1), keepdim=True) - low
    return torch.where(
        span > ROUNDING, (maps - low) / span.clamp_min(torch.finfo(maps.dtype).tiny), 0.0
    )
