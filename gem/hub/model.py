"""A model of the hub as an option: its name, its weights, where it runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gem.hub.files import find_folder, known_folder, provenance_of
from gem.options import Seed, options
from gem.provenance import Provenance

if TYPE_CHECKING:
    import torch

Precision = Literal["fp32", "tf32", "bf16", "fp16"]


@options
class HubModel:
    """A model that the package `transformers` builds, never modified; a subclass says which.

    model: its name on the hub, OWNER/NAME, or a folder in the hub's format: ``config.json``,
        weights as safetensors or ``pytorch_model.bin``, the files of its tokenizer.
    weights: ``published`` are those of the model. null: random ones from ``seed``, by the model's
        configuration, whose scores mean nothing; no file is needed for the names in `sizes`.
    revision: of the hub's repository, a branch, tag or commit; null is the newest that is on this
        machine.
    device: ``auto`` (the GPU if there is one), ``cpu``, ``cuda``, ``cuda:1``.
    precision: of the model; ``tf32`` is float32 that a GPU multiplies with 10 bits of each factor.
    """

    model: str
    weights: Literal["published"] | None = "published"
    revision: str | None = None
    device: str = "auto"
    precision: Precision = "fp32"
    seed: Seed = 0

    architecture: ClassVar[str]
    """The class of `transformers`."""
    kinds: ClassVar[Mapping[str, str]]
    """Its configuration classes, by the ``model_type`` that files have."""
    sizes: ClassVar[Mapping[str, Mapping[str, Any]]]
    """What the configurations of known names set otherwise than the library.

    ``model_type`` is the kind, where it is not the first of `kinds`.
    """
    part: ClassVar[str] = "segmenter"
    """The key of the model in the config, for errors."""
    device_key: ClassVar[str] = "device"
    """What the config calls the device there."""

    @cached_property
    def folder(self) -> Path | None:
        """The model's files. None for random weights of a model that is not on this machine.

        Raises ValueError, FileNotFoundError or ConnectionError in one sentence.
        """
        if self.weights is None:
            return known_folder(self.model, self.revision)
        return find_folder(self.model, self.revision, self.part)

    @cached_property
    def config(self) -> Any:
        """The configuration: of the folder, or of a known name; builds no model.

        Raises ValueError if the package `transformers` is not installed, and what `folder` raises.
        """
        from gem.hub.models import library, read_config

        names = library(self.part)
        if self.folder is not None:
            return read_config(self.folder, self.kinds, self.part)
        sizes = dict(self.known_sizes)
        kind = self.kinds[sizes.pop("model_type", next(iter(self.kinds)))]
        return getattr(names, kind)(**sizes)

    @property
    def known_sizes(self) -> Mapping[str, Any]:
        """What the configuration of a known name sets. Raises ValueError for another name."""
        if self.model not in self.sizes:
            raise ValueError(
                f"{self.part}.weights={self.weights or 'null'}: the sizes of {self.model} are not "
                f"known, expected a folder with its config.json, or one of {', '.join(self.sizes)}"
            )
        return self.sizes[self.model]

    @property
    def builds(self) -> str:
        """The class of `transformers` for the configuration: `architecture`, where it is one."""
        return self.architecture

    @cached_property
    def module(self) -> Any:
        """The model, built and loaded when it is first needed, where it computes."""
        from gem.device import DTYPES

        place = self.torch_device  # first: it is known at once whether it is there
        return self._built().to(place, DTYPES[self.precision])

    def _built(self) -> Any:
        """The model with its weights, float32, on the CPU."""
        from gem.hub.models import load_model, random_model

        if self.weights is None:
            return random_model(self.builds, self.config, self.seed, self.part)
        assert self.folder is not None  # noqa: S101 published weights are in a folder
        return load_model(self.builds, self.folder, self.config, self.part)

    @property
    def torch_device(self) -> torch.device:
        """Where the model is. Raises ValueError for a device that is not there."""
        from gem.device import pick_device

        return pick_device(self.device, self.part, self.device_key)

    @cached_property
    def provenance(self) -> Provenance:
        """Model and weights; reads the weights' files, but builds no model."""
        random = self.weights is None
        return provenance_of(self.model, self.folder, random=random, seed=self.seed)

    def unload(self) -> None:
        """Forget the loaded model; it is loaded again when it is needed."""
        vars(self).pop("module", None)
