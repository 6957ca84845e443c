"""The traces of companions: other models that see the same pixels.

Shapes: b images, y x pixels.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gem.backbones.backbone import Backbone
from gem.methods.method import Method
from gem.tower import Companion
from gem.trace import Trace


def traces_beside(
    trace: Trace, backbone: Backbone, methods: Sequence[Method], images: Float[Tensor, "b 3 y x"]
) -> dict[Companion | None, Trace]:
    """For each companion of the methods the trace with the companion's; for None the trace alone.

    ``images`` are what ``backbone`` made the trace of. Each distinct companion makes one pass over
    them, and the layers of the trace are shared by all.
    """
    readers: dict[Companion, list[Method]] = {}
    for method in methods:
        if method.companion is not None:
            readers.setdefault(method.companion, []).append(method)
    found: dict[Companion | None, Trace] = {None: trace}
    for companion, own in readers.items():
        seen, depth = as_seen_by(companion, backbone, images), companion.shape.num_blocks
        keep = max(method.reads_beside(depth) for method in own)
        found[companion] = trace.beside(companion.trace(seen, keep))
    return found


def as_seen_by(
    companion: Companion, backbone: Backbone, images: Float[Tensor, "b 3 y x"]
) -> Float[Tensor, "b 3 v u"]:
    """The pixels that a backbone sees, for its companion: in its normalisation and whole patches.

    Where a side is no multiple of the companion's patch (14 pixels beside CLIP's 16), the pixels
    are resized to the nearest one, bilinear without antialias: both grids then span the same
    pixels, where a crop would shift one against the other. If CLIP's patch leaves a rest (a
    protocol that neither rounds nor pads), CLIP does not see it and the companion does, as in
    ProxyCLIP's code. Normalised in float32.
    """
    shape, pixels = companion.shape, images.float()
    rows, columns = shape.grid((pixels.shape[2], pixels.shape[3]))
    size = (rows * shape.patch_size, columns * shape.patch_size)
    raw = pixels * _channels(backbone.std, pixels) + _channels(backbone.mean, pixels)
    seen = (raw - _channels(companion.mean, pixels)) / _channels(companion.std, pixels)
    if size != tuple(seen.shape[2:]):
        seen = F.interpolate(seen, size=size, mode="bilinear")
    return seen


def _channels(values: tuple[float, float, float], like: Tensor) -> Float[Tensor, "3 1 1"]:
    return torch.tensor(values, device=like.device)[:, None, None]
