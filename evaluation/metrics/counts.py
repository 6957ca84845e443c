"""Integers that are summed over images."""

from typing import TypeVar

import torch
from torch import Tensor

Some = TypeVar("Some", bound="Counts")


class Counts:
    """A table of counts, on a device; what each image adds, a subclass says."""

    def __init__(self, *shape: int) -> None:
        self.counts: Tensor = torch.zeros(shape, dtype=torch.int64)

    def to(self: Some, device: torch.device) -> Some:  # noqa: PYI019 beartype knows no Self
        """Count there from now on."""
        self.counts = self.counts.to(device)
        return self
