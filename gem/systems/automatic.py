"""SAM's automatic masks: everything in an image, without words.

Written from the description in Segment Anything (Kirillov et al., ICCV 2023, Appendix B); the
defaults and the rules in detail are those of its generator, without crops of the image. Small
holes and islands of a mask are left as they are, as they are there unless asked for.

Shapes: y x pixels, n points, m masks, k bytes of eight pixels each, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor
from torchvision.ops import nms

from gem.systems.sam import Sam, SeenImage

PROMPTS = (
    64  # points or boxes of a pass of the decoder, which repeats the image's features for each
)
ROOM = 2**25  # floating-point numbers of enlarged masks that stand in memory at once


@dataclass(frozen=True, eq=False)
class Masks:
    """Masks of an image of (height, width), the best first.

    bits: 1 where a mask is, eight pixels a byte. quality: the IoU that SAM predicts of each.
    """

    bits: UInt8[np.ndarray, "m k"]
    quality: Float[np.ndarray, " m"]
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.bits)

    def unpacked(self, part: slice = slice(None)) -> Bool[Tensor, "m y x"]:
        """Some of the masks, pixel by pixel."""
        height, width = self.size
        flat = np.unpackbits(self.bits[part], axis=1, count=height * width)
        return torch.from_numpy(flat.view(bool)).view(-1, height, width)


class Good(NamedTuple):
    """Masks that pass the thresholds, before the same thing is looked for among them."""

    bits: UInt8[np.ndarray, "m k"]
    quality: Float[Tensor, " m"]
    boxes: Float[Tensor, "m 4"]


@dataclass(frozen=True)
class Automatic:
    """How masks are made; `gem.systems.GemSam` says what the numbers are."""

    sam: Sam
    points_per_side: int
    pred_iou: float
    stability: float
    stability_offset: float
    nms: float

    @torch.inference_mode()
    def masks(self, image: UInt8[Tensor, "3 y x"]) -> Masks:
        """Those that are good and stable; of boxes that overlap too much the better mask's."""
        seen = self.sam.see(image)
        points = grid(self.points_per_side, seen.canvas.image).to(self.sam.torch_device)
        parts = [self._good(seen, some) for some in torch.split(points, PROMPTS)]
        bits = np.concatenate([one.bits for one in parts])
        quality, boxes = (torch.cat(some) for some in list(zip(*parts, strict=True))[1:])
        chosen = nms(boxes, quality, self.nms).cpu().numpy()
        return Masks(bits[chosen], quality.cpu().numpy()[chosen], seen.canvas.image)

    def _good(self, seen: SeenImage, points: Float[Tensor, "n 2"]) -> Good:
        """Of three masks a point those whose predicted IoU and stability exceed the thresholds."""
        low, quality = (one.flatten(0, 1) for one in self.sam.of_points(seen, points))
        wanted = quality > self.pred_iou  # before masks are enlarged, which costs most
        low, quality = low[wanted], quality[wanted]
        height, width = seen.canvas.image
        step = max(ROOM // (seen.canvas.side**2 + height * width), 1)
        bits, boxes, stable = [np.empty((0, -(-height * width // 8)), np.uint8)], [], []
        for some in torch.split(low, step) if len(low) else ():
            logits = seen.canvas.at_image(some[:, None])[:, 0]
            stable.append(stability(logits, self.stability_offset) > self.stability)
            masks = logits[stable[-1]] > 0
            boxes.append(boxes_of(masks).float())
            bits.append(np.packbits(masks.flatten(1).cpu().numpy(), axis=1))
        kept = torch.cat(stable) if stable else quality.bool()
        return Good(
            np.concatenate(bits), quality[kept], torch.cat([quality.new_empty(0, 4), *boxes])
        )


def grid(per_side: int, size: tuple[int, int]) -> Float[Tensor, "n 2"]:
    """Points (x, y) in the middle of equal cells of an image of (height, width), row by row."""
    height, width = size
    middles = (torch.arange(per_side) + 0.5) / per_side
    down, across = torch.meshgrid(middles * height, middles * width, indexing="ij")
    return torch.stack([across, down], dim=-1).flatten(0, 1)


def stability(logits: Float[Tensor, "m y x"], offset: float) -> Float[Tensor, " m"]:
    """The IoU of each mask cut at plus and minus an offset; nan if it is empty at both."""
    inner, outer = ((logits > cut).sum(dim=(1, 2)) for cut in (offset, -offset))
    return inner / outer


def boxes_of(masks: Bool[Tensor, "m y x"]) -> Int64[Tensor, "m 4"]:
    """Left, top, right and bottom pixel of each mask, which is not empty."""
    corners = []
    for axis in (1, 2):  # over rows: columns where the mask is; over columns: rows
        line = masks.any(dim=axis).to(torch.uint8)
        corners.append((line.argmax(dim=1), line.shape[1] - 1 - line.flip(1).argmax(dim=1)))
    (left, right), (top, bottom) = corners
    return torch.stack([left, top, right, bottom], dim=1)
