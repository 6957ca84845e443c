"""GEM-SAM: the masks of SAM, labelled by the maps of GEM or another method. Our reading.

Shapes: y x pixels.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import Field, Strict

from gem.options import Fraction, Positive, changed, options
from gem.patches import Patches
from gem.provenance import with_another
from gem.systems.sam import Sam

if TYPE_CHECKING:
    from jaxtyping import UInt8
    from torch import Tensor

    from gem.backbones.backbone import Backbone
    from gem.features import PatchFeatures
    from gem.provenance import Provenance
    from gem.segmenter import EncodedImage
    from gem.systems.automatic import Automatic, Masks
    from gem.systems.labelled import Segments
    from gem.tower import Companion
    from gem.windows import Tiling

INNER = {"backbone", "method", "sam", "root"}  # what `variant` says otherwise, or not
USUAL = 100  # masks of an image, about


@options
class GemSam(Patches):
    """Masks of SAM's automatic generator, labelled by a method of the trace. This is OUR READING.

    The paper says only that masks of a grid of points are labelled by GEM (of its Table 3); which
    SAM, which grid and which rule it does not say. Here: SAM's own defaults, the mean of GEM's map
    inside of each mask, the smallest mask where several overlap, and GEM's own map where there is
    none. SAM sees the image as GEM does: the prepared pixels, enlarged. What is background the
    protocol decides, as for GEM. One pass gives both.

    sam: the model. points_per_side: of the grid of points, each of which asks for three masks.
    pred_iou: the IoU predicted by SAM that a mask must exceed. stability: the IoU that a mask cut
        at plus and minus ``stability_offset`` (of its logits) must exceed. nms: the IoU of their
        boxes above which only the better of two masks stays.
    rule: ``mean`` or ``max`` of a word's map inside of a mask. order: where masks overlap the
        ``small``, the ``large`` or the one of the best ``quality`` (predicted IoU) wins.
    root: where the masks of images are kept, so that all settings of GEM use them; null is the
        folder ``masks`` in ``GEM_CACHE``, or in the user's cache.
    """

    sam: Sam
    points_per_side: Annotated[int, Strict(), Field(ge=1, le=128)] = 32
    pred_iou: Fraction = 0.88
    stability: Fraction = 0.95
    stability_offset: Positive = 1.0
    nms: Fraction = 0.7
    rule: Literal["mean", "max"] = "mean"
    order: Literal["small", "large", "quality"] = "small"
    root: str | None = None

    @property
    def title(self) -> str:
        """That of the method with SAM, and whose reading it is."""
        return f"{self.method.title}-SAM (our reading)"

    @property
    def published(self) -> str:
        """When GEM was, whose paper has the system; a later method's own date."""
        return max("2023-12", self.method.published)

    @property
    def variant(self) -> str:
        """The options of method and masks that are not the defaults, and a SAM that is not huge."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in INNER}
        default = {one.name: one.default for one in fields(self)}
        masks = [f"{name}={value}" for name, value in own.items() if value != default[name]]
        sam = [f"sam={Path(self.sam.model).name}"] if self.sam.model != Sam().model else []
        return " ".join(filter(None, [changed(self.method), *masks, *sam]))

    @property
    def provenance(self) -> Provenance:
        """That of backbone and method; SAM is a second model, or a further one."""
        return with_another(super().provenance, self.sam.provenance)

    def features_bytes(self, size: tuple[int, int], windows: Tiling | None) -> int:
        """The features, the image as SAM sees it, and its masks: each has a bit for a pixel."""
        pixels = size[0] * size[1]
        return super().features_bytes(size, windows) + 3 * pixels + USUAL * pixels // 8

    def check(self, ids: Sequence[str]) -> None:
        """As for the method alone; and read SAM's config, which raises what is wrong with it."""
        super().check(ids)
        _ = self.sam.config

    def finish(
        self, features: Sequence[PatchFeatures], beside: dict[Hashable, Any]
    ) -> Sequence[EncodedImage]:
        """The features with the masks of their images, which segmenters with equal masks share."""
        from gem.systems.labelled import LabelledMasks, Segments

        maker, root = self.maker, self.root
        if (maker, root) not in beside:
            beside[maker, root] = [Segments(self._seen(one), self._kept(maker)) for one in features]
        segments: list[Segments] = beside[maker, root]
        return [
            LabelledMasks(one, found, self.rule, self.order)
            for one, found in zip(features, segments, strict=True)
        ]

    @property
    def maker(self) -> Automatic:
        """What makes the masks."""
        from gem.systems.automatic import Automatic

        return Automatic(
            sam=self.sam,
            points_per_side=self.points_per_side,
            pred_iou=self.pred_iou,
            stability=self.stability,
            stability_offset=self.stability_offset,
            nms=self.nms,
        )

    def sharing(self, models: dict[object, Any]) -> GemSam:
        """As for the method alone, and with the SAM that is held, if equal."""
        found = cast("GemSam", super().sharing(models))
        return replace(found, sam=models.setdefault(self.sam, self.sam))

    @property
    def models(self) -> tuple[Backbone | Companion | Sam, ...]:  # type: ignore[override]
        """Those of the method alone, and SAM."""
        return (*super().models, self.sam)

    def _seen(self, features: PatchFeatures) -> UInt8[Tensor, "3 y x"]:
        """The resized image as it was before it was normalised: 8 bits, to the bit."""
        import torch

        mean, std = (
            torch.tensor(one, device=features.pixels.device)[:, None, None]
            for one in (self.backbone.mean, self.backbone.std)
        )
        pixels = (features.pixels.float() * std + mean) * 255
        return pixels.round().clamp(0, 255).to(torch.uint8)

    def _kept(self, maker: Automatic) -> Any:
        return partial(_masks, maker, self.root)


def _masks(maker: Automatic, root: str | None, image: UInt8[Tensor, "3 y x"]) -> Masks:
    """The masks of an image, made once."""
    from gem.systems.kept_masks import folder_of, kept_or_made, key_of

    size, pixels = (image.shape[1], image.shape[2]), image.cpu().numpy().tobytes()
    make = partial(maker.masks, image)
    return kept_or_made(folder_of(root), key_of(maker), pixels, size, make)
