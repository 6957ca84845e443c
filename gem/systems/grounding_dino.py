"""Grounding DINO as an option: boxes of what words name.

Shapes: y x pixels, q boxes, w words, t tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from gem.hub.model import HubModel
from gem.options import Pixels, options

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8
    from torch import Tensor

    from gem.systems.phrases import Prompt

BASE = {
    "model_type": "swin", "image_size": 384, "embed_dim": 128, "depths": [2, 2, 18, 2],
    "num_heads": [4, 8, 16, 32], "window_size": 12, "out_indices": [2, 3, 4],
}  # fmt: skip


class Boxes(NamedTuple):
    """What the detector found: (left, top, right, bottom) in pixels of the image.

    scores: how probable it is that a box shows each of the words, in [0, 1].
    """

    corners: Float[Tensor, "q 4"]
    scores: Float[Tensor, "q w"]


@options
class GroundingDino(HubModel):
    """Grounding DINO (Liu et al., ECCV 2024).

    model: ``IDEA-Research/grounding-dino-tiny`` or ``-base``, or a folder with its tokenizer.
    short_side, long_side: of what it sees: the shorter side becomes the one, unless the longer one
        would exceed the other, in pixels.
    """

    model: str = "IDEA-Research/grounding-dino-tiny"
    short_side: Pixels = 800
    long_side: Pixels = 1333

    architecture: ClassVar[str] = "GroundingDinoForObjectDetection"
    kinds: ClassVar[Mapping[str, str]] = {"grounding-dino": "GroundingDinoConfig"}
    sizes: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "IDEA-Research/grounding-dino-tiny": {},
        "IDEA-Research/grounding-dino-base": {"backbone_config": BASE},
    }
    part: ClassVar[str] = "segmenter.detector"

    @cached_property
    def tokenizer(self) -> Any:
        """BERT's, of the model's folder; for random weights without one a stand-in.

        Raises FileNotFoundError or ValueError, naming the folder, if it has none or another one.
        """
        from gem.hub.stand_in_words import stand_in_tokenizer

        folder = self.folder
        files = ("tokenizer.json", "vocab.txt")
        if folder is None or not any((folder / name).is_file() for name in files):
            if self.weights is None:
                return stand_in_tokenizer(self.config.text_config.vocab_size, self.part)
            raise FileNotFoundError(
                f"{self.part}.model={folder}: the folder has no tokenizer.json or vocab.txt"
            )
        return _read_tokenizer(str(folder), self.part)

    def size_of(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what the model sees of an image: as its processor computes them."""
        short, long = sorted((height, width))
        side, exact = self.short_side, float(self.short_side)
        if long / short * side > self.long_side:
            exact = self.long_side * short / long
            side = round(exact)
        if short == side:
            return height, width
        other = max(int(exact * long / short), 1)
        side = max(side, 1)
        return (side, other) if height < width else (other, side)

    def find(self, image: UInt8[Tensor, "3 y x"], words: Sequence[str]) -> Boxes:
        """Everything it takes for one of the words, however improbable; prompts in turn.

        Raises ValueError for a word that does not fit into a prompt.
        """
        import torch

        from gem.systems.imagenet import normalised, resized
        from gem.systems.phrases import prompts_of

        height, width = image.shape[1:]
        seen = resized(image.to(self.torch_device), self.size_of(height, width))
        pixels = normalised(seen)[None].to(self.module.dtype)
        room = int(self.config.max_text_len)
        prompts = prompts_of(words, self.tokenizer, room, self.part)
        found = [self._ask(pixels, one, len(words)) for one in prompts]
        scale = torch.tensor([width, height, width, height], device=pixels.device)
        corners = torch.cat([one.corners for one in found]) * scale
        return Boxes(corners, torch.cat([one.scores for one in found]))

    def _ask(self, pixels: Float[Tensor, "1 3 y x"], prompt: Prompt, words: int) -> Boxes:
        """The boxes of one prompt, in shares of the image's sides."""
        import torch

        from gem.device import float32_products

        ids = prompt.ids.to(pixels.device)
        with float32_products(tf32=self.precision == "tf32"):
            found = self.module(
                pixel_values=pixels, input_ids=ids, attention_mask=torch.ones_like(ids)
            )
        centre, size = found.pred_boxes[0].float().chunk(2, dim=1)
        corners = torch.cat([centre - size / 2, centre + size / 2], dim=1)
        return Boxes(corners, prompt.scores(found.logits[0].float(), words))


def _read_tokenizer(folder: str, part: str) -> Any:
    """Raises ValueError for one whose special tokens are not those that the model looks for."""
    from gem.hub.models import library, quiet
    from gem.systems.phrases import CLS, SEP, STOP

    with quiet(part):
        try:
            found = library(part).BertTokenizer.from_pretrained(folder, local_files_only=True)
            marks = found.convert_tokens_to_ids(["[CLS]", "[SEP]", "."])
        except Exception as error:  # broken files lead it to any
            said = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"{folder} has no tokenizer that can be read: {said[:300]}") from error
    if marks != [CLS, SEP, STOP]:
        raise ValueError(
            f"{folder}: its tokenizer has [CLS], [SEP] and '.' at {marks}, expected "
            f"{[CLS, SEP, STOP]}, as BERT's"
        )
    return found
