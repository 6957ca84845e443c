"""Images of 8 bits, resized and normalised as the processors of `transformers` do it.

Shapes: y x pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2.functional import resize

from gem.pixels import as_rgb

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def as_tensor(image: Image.Image) -> UInt8[Tensor, "3 y x"]:
    """An image at its own size. Raises ValueError if the range of its values is unknown."""
    return torch.from_numpy(np.array(as_rgb(image))).permute(2, 0, 1).contiguous()


def resized(image: UInt8[Tensor, "3 v u"], size: tuple[int, int]) -> UInt8[Tensor, "3 y x"]:
    """To (height, width): bilinear with antialias, rounded to 8 bits."""
    found: Tensor = resize(image, list(size), antialias=True)
    return found


def normalised(image: UInt8[Tensor, "3 y x"]) -> Float[Tensor, "3 y x"]:
    """Minus the mean of ImageNet, by its standard deviation, in float32."""
    mean, std = (torch.tensor(one, device=image.device)[:, None, None] for one in (MEAN, STD))
    return (image.float() / 255 - mean) / std
