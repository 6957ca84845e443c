"""Weights and images without torch's random generator: the same numbers on every version.

A golden tensor is only worth something if the model behind it can be built again. The order in
which open_clip initialises its parameters changes between versions, so every parameter is filled
from its own name instead: the name picks a PCG64 stream (whose raw integers numpy guarantees),
the raw integers become uniform numbers by exact arithmetic, and the shape picks their scale.

The scales are chosen so that every setting matters. With plain noise the self-self attention of a
ViT-B/16 collapses in one step, and K=1 and K=2 agree to 1e-5, where a test could not tell them
apart; images with regions and larger weights in front of the attention (`ln_1`, as trained models
have) keep them 4e-2 apart.

Read by `scripts/reference/inner.py` (in the environment of the released code) and by
`tests/test_parity.py` (in ours); needs numpy alone.
"""

import hashlib
import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

REGION = 32  # pixels: side of the flat squares in an image


def noise(name: str, shape: tuple[int, ...]) -> Array:
    """Uniform numbers of mean 0 and variance 1 (within +-sqrt 3), fixed by ``name`` alone."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    raw = np.random.PCG64(seed).random_raw(math.prod(shape))
    unit = (raw >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1.0)
    return (unit * np.float32(math.sqrt(3.0))).reshape(shape)


def images(name: str, shape: tuple[int, int, int, int]) -> Array:
    """Normalised images [b, 3, y, x]: flat squares of random colour, and noise upon them."""
    batch, channels, height, width = shape
    rows, columns = math.ceil(height / REGION), math.ceil(width / REGION)
    colours = noise(f"{name}/regions", (batch, channels, rows, columns))
    regions = colours.repeat(REGION, axis=2).repeat(REGION, axis=3)[:, :, :height, :width]
    return regions + np.float32(0.5) * noise(name, shape)


def parameter(name: str, shape: tuple[int, ...]) -> Array:
    """The value of open_clip's parameter ``name``: nothing is left at 0 or 1, where bugs hide.

    Weights of layer norms lie around 1 (``ln_1``: 2), layer scales around 0.5, biases around 0;
    embeddings have a standard deviation of 0.5, matrices one of 1 / sqrt(fan in), or 0.7 of that
    where they write to the residual stream.
    """
    value = noise(name, shape)
    last = name.rsplit(".", 1)[-1]
    if last == "logit_scale":
        return np.full(shape, math.log(100.0), np.float32)
    if last == "gamma":
        return np.float32(0.5) + np.float32(0.15) * value
    if last.endswith("bias"):
        return np.float32(0.2) * value
    if last.endswith("embedding") or name.startswith("token_embedding"):
        return np.float32(0.5) * value
    if len(shape) == 1:
        size = np.float32(2.0 if name.endswith("ln_1.weight") else 1.0)
        return size * (np.float32(1.0) + np.float32(0.25) * value)
    # the projections are stored [in, out], linear and convolution weights [out, in, ...]
    fan_in = shape[0] if last in {"proj", "text_projection"} else math.prod(shape[1:])
    gain = 0.7 if name.endswith(("out_proj.weight", "c_proj.weight")) else 1.0
    return np.float32(gain / math.sqrt(fan_in)) * value
