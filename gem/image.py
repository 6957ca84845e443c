"""Images on their way in, maps on their way out.

Shapes: y x pixels of an image or mask, u v rows and columns of patches, w maps.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from PIL import Image, UnidentifiedImageError
from torch import Tensor


def read_image(path: Path) -> Image.Image:
    """An image file as RGB. Raises ValueError, naming the file, if it is broken or no image."""
    try:
        with Image.open(path) as opened:
            return opened.convert("RGB")
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no image {path}") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from error


def to_input(
    image: Image.Image,
    size: tuple[int, int],
    *,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
) -> Float[Tensor, "3 y x"]:
    """Resize an RGB image to (height, width), bicubic with antialias, and normalise it."""
    height, width = size
    resized = image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(resized)).permute(2, 0, 1).float() / 255
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
    return F.interpolate(band[None], size=(len(wanted), width), mode="bilinear")[0]


def min_max(maps: Float[Tensor, "w y x"]) -> Float[Tensor, "w y x"]:
    """Scale each map to [0, 1] on its own; a constant map, which says nothing, becomes 0."""
    low = maps.amin(dim=(-2, -1), keepdim=True)
    span = maps.amax(dim=(-2, -1), keepdim=True) - low
    return torch.where(span > 0, (maps - low) / span.clamp_min(torch.finfo(maps.dtype).tiny), 0.0)
