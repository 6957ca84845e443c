"""What Grounding-SAM makes of an image: boxes of words, and their masks.

Shapes: y x pixels of the image, w words, n boxes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from gem.systems.grounding_dino import Boxes, GroundingDino
from gem.systems.sam import Sam, SeenImage
from gem.vocabulary import Queries

PROMPTS = 64  # boxes of a pass of the decoder, which repeats the image's features for each
ROOM = 2**25  # floating-point numbers of enlarged masks that stand in memory at once


@dataclass(eq=False)
class AskedImage:
    """An image with what both models made of it so far, for all settings of a pass.

    SAM sees it once, and only if there is a box; the boxes of the words asked last are kept.
    """

    image: UInt8[Tensor, "3 y x"]
    detector: GroundingDino
    sam: Sam
    _boxes: dict[tuple[str, ...], Boxes] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.shape[1], self.image.shape[2]

    def boxes(self, words: tuple[str, ...]) -> Boxes:
        """All boxes of the detector, with the score of every word."""
        if words not in self._boxes:
            self._boxes = {words: self.detector.find(self.image, words)}
        return self._boxes[words]

    @cached_property
    def seen(self) -> SeenImage:
        """By SAM."""
        return self.sam.see(self.image)


@dataclass(frozen=True)
class GroundedImage:
    """A `gem.segmenter.EncodedImage`; `gem.systems.GroundingSam` says what the thresholds are."""

    asked: AskedImage
    box_threshold: float
    text_threshold: float

    @property
    def labels(self) -> None:
        """None: labels are decided from the scores."""
        return

    @property
    def pixels(self) -> None:
        """None: the rule decides alone, and nothing refines its maps."""
        return

    def nothing(self, queries: Queries) -> Float[Tensor, "y x"]:
        """0: where no mask is there is none of the words."""
        return torch.zeros(self.asked.size, device=queries.text.device)

    @torch.inference_mode()
    def scores(self, queries: Queries) -> Float[Tensor, "w y x"]:
        """Of each word the highest score of its boxes whose masks cover the pixel, else 0."""
        corners, values, words = self._chosen(queries.words)
        maps = torch.zeros(len(queries.words), *self.asked.size, device=corners.device)
        rising = values.argsort(stable=True)  # so that the highest is written last
        step = max(min(PROMPTS, ROOM // self._pixels), 1)
        for some in torch.split(rising, step) if len(rising) else ():
            masks = self._masks(corners[some])
            for mask, word, value in zip(masks, words[some].tolist(), values[some], strict=True):
                maps[word].masked_fill_(mask, value)
        return maps.to(queries.text.device)

    def _chosen(
        self, words: tuple[str, ...]
    ) -> tuple[Float[Tensor, "n 4"], Float[Tensor, " n"], Int64[Tensor, " n"]]:
        """The boxes whose best word exceeds both thresholds, its score, and which word it is."""
        found = self.asked.boxes(words)
        values, best = found.scores.max(dim=1)
        kept = (values > self.box_threshold) & (values > self.text_threshold)
        return found.corners[kept], values[kept], best[kept]

    @property
    def _pixels(self) -> int:
        """Of an enlarged mask, in the model's square and in the image."""
        side = int(self.asked.sam.config.prompt_encoder_config.image_size)
        return side**2 + self.asked.image[0].numel()

    def _masks(self, corners: Float[Tensor, "n 4"]) -> Bool[Tensor, "n y x"]:
        """One for each box, at the size of the image."""
        seen, sam = self.asked.seen, self.asked.sam
        low, _ = sam.of_boxes(seen, corners.to(sam.torch_device))
        return (seen.canvas.at_image(low)[:, 0] > 0).to(corners.device)
