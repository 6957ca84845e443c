"""A segmenter that is one model of the hub: what such segmenters have in common.

Shapes: b images, y x pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Sequence
from dataclasses import fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gem.hub.model import HubModel, Precision
from gem.options import Seed, options
from gem.provenance import Provenance

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from PIL import Image
    from torch import Tensor

    from gem.resize import Resize
    from gem.segmenter import EncodedImage, Segmenter
    from gem.windows import Tiles, Tiling

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


@options
class SingleModel(ABC):
    """A `gem.Segmenter` with one model, and a rule of its own whose options change no pass.

    model: its name on the hub, OWNER/NAME, or a folder in the hub's format.
    weights: ``published`` are those of the model. null: random ones from ``seed``, whose scores
        mean nothing.
    revision: of the hub's repository; null is the newest that is on this machine.
    place: the device; ``auto`` is the GPU if there is one.
    precision: of the model; scores are computed in float32. ``tf32`` is float32 that a GPU
        multiplies with 10 bits of each factor.
    """

    model: str
    weights: Literal["published"] | None = "published"
    revision: str | None = None
    place: str = "auto"
    precision: Precision = "fp32"
    seed: Seed = 0

    hub: ClassVar[type[HubModel]]
    """The kind of its model."""
    usual: ClassVar[dict[str, tuple[float | None, ...]]]
    """The options of its rule, and their values that no table need mention."""
    title: ClassVar[str]
    published: ClassVar[str]

    @cached_property
    def network(self) -> HubModel:
        """The model: the same for all options of the rule."""
        return self.hub(
            model=self.model,
            weights=self.weights,
            revision=self.revision,
            device=self.place,
            precision=self.precision,
            seed=self.seed,
        )

    @property
    def variant(self) -> str:
        """The options of the rule that are not the usual ones."""
        rule = [(one.name, getattr(self, one.name)) for one in fields(self)]
        return " ".join(
            f"{name}={value}" for name, value in rule if value not in self.usual.get(name, [value])
        )

    @property
    def provenance(self) -> Provenance:
        """Model and weights; reads the weights' files, but builds no model."""
        return self.network.provenance

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.network.torch_device

    @property
    def pass_key(self) -> Hashable:
        """All rules on one model share a pass."""
        return (type(self).__qualname__, self.network)

    @property
    def cache_group(self) -> tuple[Hashable, ...]:
        """Nothing is shared but the pass."""
        return ()

    @property
    @abstractmethod
    def patch(self) -> int:
        """Pixels of a patch; reads the model's config."""

    def check(self, ids: Sequence[str]) -> None:  # noqa: ARG002
        """Raise ValueError or OSError if the model is not what is expected, by its config.

        And without the package `transformers`. Published files that are not on this machine are
        `provenance`'s to find: each mistake is told once.
        """
        from gem.hub.files import known_folder
        from gem.hub.models import library

        library(self.hub.part)
        if self.weights is None or known_folder(self.model, self.revision):
            self.check_config(self.network.config)

    def check_config(self, config: Any) -> None:
        """Raise ValueError for a configuration that the rule cannot read."""
        from gem.systems.clip_words import check_words

        check_words(config.text_config, f"segmenter.model={self.model}")

    def prepare(
        self,
        image: Image.Image,
        *,
        resize: Resize,
        sample_id: str = "",  # noqa: ARG002
    ) -> Float[Tensor, "3 y x"]:
        """Resized by the rule, normalised by ImageNet's statistics."""
        from gem.image import to_input

        size = resize.fit(image.height, image.width, self.patch)
        return to_input(image, size, mean=MEAN, std=STD, resampling=resize.filter)

    def encode_together(
        self,
        segmenters: Sequence[Segmenter],
        images: Float[Tensor, "b 3 y x"],
        *,
        windows: Tiling | None,
    ) -> list[list[EncodedImage]]:
        """Each window passes the model once; what it leaves is read by the rule of each segmenter.

        Raises ValueError if a segmenter is of another model.
        """
        import torch

        from gem.device import DTYPES, float32_products
        from gem.windows import tiles_of

        if any(one.pass_key != self.pass_key for one in segmenters):
            raise ValueError("segmenters that encode together need the same model")
        tiles = tiles_of((images.shape[2], images.shape[3]), windows, self.patch)
        inputs = images.to(self.device, DTYPES[self.precision], non_blocking=True)
        with torch.inference_mode(), float32_products(tf32=self.precision == "tf32"):
            seen = self.look(inputs, images, tiles)
        rules = [one for one in segmenters if isinstance(one, SingleModel)]
        return [[rule.read(one) for one in seen] for rule in rules]

    @abstractmethod
    def look(
        self, inputs: Float[Tensor, "b 3 y x"], images: Float[Tensor, "b 3 y x"], tiles: Tiles
    ) -> Sequence[Any]:
        """What the model makes of each image: ``inputs`` are ``images`` where it computes."""

    @abstractmethod
    def read(self, seen: Any) -> EncodedImage:
        """What the model made of an image, by this segmenter's rule."""

    def sharing(self, models: dict[object, Any]) -> Segmenter:
        """The same rule on the model that is held, if it is equal."""
        held = models.setdefault(self.network, self.network)
        shared = replace(self)
        vars(shared)["network"] = held
        return shared  # type: ignore[return-value] # subclasses have the rest

    @property
    def models(self) -> tuple[HubModel, ...]:
        """The one."""
        return (self.network,)

    def unload(self, keep: Collection[object] = ()) -> None:
        """Free the memory of the model, unless it is one to ``keep``."""
        if self.network not in keep:
            self.network.unload()


def windows_of(
    inputs: Float[Tensor, "b 3 y x"], tiles: Tiles
) -> list[Float[Tensor, "b 3 rows columns"]]:
    """The padded windows of images of one size."""
    import torch.nn.functional as F

    height, width = tiles.shape
    return [
        F.pad(inputs[:, :, top : top + height, left : left + width], tiles.padding)
        for top, left in tiles.corners
    ]
