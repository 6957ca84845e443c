"""Segment Anything as an option: masks for points and boxes of an image.

Shapes: y x pixels, n prompts, k masks of each, r rows and columns of a low-resolution map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from gem.hub.model import HubModel
from gem.options import options

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8
    from torch import Tensor

    from gem.systems.canvas import Canvas

LARGE = {
    "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
    "global_attn_indexes": [5, 11, 17, 23],
}  # fmt: skip
HUGE = {
    "hidden_size": 1280, "num_hidden_layers": 32, "num_attention_heads": 16,
    "global_attn_indexes": [7, 15, 23, 31],
}  # fmt: skip


def _hiera(width: int, heads: int, blocks: list[int], **more: Any) -> Mapping[str, Any]:
    """The configuration of a SAM 2.1: widths and heads double from stage to stage."""
    widths, counts = ([one * 2**stage for stage in range(4)] for one in (width, heads))
    backbone = {
        "model_type": "sam2_hiera_det_model", "hidden_size": width, "num_attention_heads": heads,
        "blocks_per_stage": blocks, "embed_dim_per_stage": widths,
        "num_attention_heads_per_stage": counts, **more,
    }  # fmt: skip
    vision = {"backbone_config": backbone, "backbone_channel_list": widths[::-1]}
    return {"model_type": "sam2", "vision_config": vision}


@dataclass(frozen=True)
class SeenImage:
    """What SAM has made of an image: features for its decoder, which any number of prompts read."""

    features: Any
    canvas: Canvas


@options
class Sam(HubModel):
    """SAM (Kirillov et al., ICCV 2023), or SAM 2.1 for images (Ravi et al., 2024).

    model: ``facebook/sam-vit-base``, ``-large``, ``-huge``, ``facebook/sam2.1-hiera-tiny``,
        ``-small``, ``-base-plus``, ``-large``, or a folder. What kind it is its config says.
    """

    model: str = "facebook/sam-vit-huge"

    architecture: ClassVar[str] = "SamModel"
    kinds: ClassVar[Mapping[str, str]] = {
        "sam": "SamConfig",
        "sam2": "Sam2Config",
        "sam2_video": "Sam2Config",  # as the hub's folders say: they hold a tracker too
    }
    sizes: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "facebook/sam-vit-base": {},
        "facebook/sam-vit-large": {"vision_config": LARGE},
        "facebook/sam-vit-huge": {"vision_config": HUGE},
        "facebook/sam2.1-hiera-tiny": _hiera(
            96, 1, [1, 2, 7, 2], global_attention_blocks=[5, 7, 9]
        ),
        "facebook/sam2.1-hiera-small": _hiera(
            96, 1, [1, 2, 11, 2], global_attention_blocks=[7, 10, 13]
        ),
        "facebook/sam2.1-hiera-base-plus": _hiera(
            112, 2, [2, 3, 16, 3], global_attention_blocks=[12, 16, 20],
            window_positional_embedding_background_size=[14, 14],
        ),
        "facebook/sam2.1-hiera-large": _hiera(
            144, 2, [2, 6, 36, 4], global_attention_blocks=[23, 33, 43],
            window_size_per_stage=[8, 4, 16, 8],
        ),
    }  # fmt: skip
    part: ClassVar[str] = "segmenter.sam"

    @property
    def second(self) -> bool:
        """Whether it is a SAM 2, by its config."""
        return bool(self.config.model_type != "sam")

    @property
    def builds(self) -> str:
        """The class of `transformers`."""
        return "Sam2Model" if self.second else "SamModel"

    def see(self, image: UInt8[Tensor, "3 y x"]) -> SeenImage:
        """Encode an image, which is most of the work."""
        from gem.device import float32_products
        from gem.systems.canvas import Canvas

        side = int(self.config.prompt_encoder_config.image_size)
        canvas = Canvas(side, (image.shape[1], image.shape[2]), stretched=self.second)
        pixels = canvas.draw(image.to(self.torch_device)).to(self.module.dtype)
        with float32_products(tf32=self.precision == "tf32"):
            return SeenImage(self.module.get_image_embeddings(pixels), canvas)

    def of_boxes(
        self, seen: SeenImage, boxes: Float[Tensor, "n 4"]
    ) -> tuple[Float[Tensor, "n 1 r r"], Float[Tensor, "n 1"]]:
        """One mask for each box (x, y, x, y) of the image: low-resolution logits, predicted IoU.

        That is the decoder's output for a prompt without doubt (``multimask_output=False``).
        """
        placed = seen.canvas.place(boxes)[None]
        return self._decode(seen, input_boxes=placed, multimask_output=False)

    def of_points(
        self, seen: SeenImage, points: Float[Tensor, "n 2"]
    ) -> tuple[Float[Tensor, "n 3 r r"], Float[Tensor, "n 3"]]:
        """Three masks for each point (x, y): part, object and whole; as `of_boxes`."""
        import torch

        placed = seen.canvas.place(points)[None, :, None]
        labels = torch.ones(placed.shape[:3], dtype=torch.int64, device=placed.device)
        prompts = {"input_points": placed, "input_labels": labels}
        return self._decode(seen, **prompts, multimask_output=True)

    def _decode(self, seen: SeenImage, **prompts: Any) -> tuple[Tensor, Tensor]:
        from gem.device import float32_products

        features = seen.features if not isinstance(seen.features, list) else [*seen.features]
        with float32_products(tf32=self.precision == "tf32"):
            found = self.module(image_embeddings=features, **prompts)
        return found.pred_masks[0].float(), found.iou_scores[0].float()
