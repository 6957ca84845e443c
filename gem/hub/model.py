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
    """What the configurations of known names set otherwise than the library."""
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
        if self.model not in self.sizes:
            known = ", ".join(self.sizes)
            raise ValueError(
                f"{self.part}.weights=null: the sizes of {self.model} are not known, expected a "
                f"folder with its config.json, or one of {known}"
            )
        kind = getattr(names, next(iter(self.kinds.values())))
        return kind(**self.sizes[self.model])

    @cached_property
    def module(self) -> Any:
        """The model, built and loaded when it is first needed, where it computes."""
        from gem.device import DTYPES
        from gem.hub.models import load_model, random_model

        place = self.torch_device
        if self.weights is None:
            found = random_model(self.architecture, self.config, self.seed, self.part)
        else:
            assert self.folder is not None  # noqa: S101 published weights are in a folder
            found = load_model(self.architecture, self.folder, self.config, self.part)
        return found.to(place, DTYPES[self.precision])

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
