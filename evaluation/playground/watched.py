"""A backbone that says what it was asked to compute, and how long that took."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.backbones.backbone import Backbone
    from gem.trace import Trace


class Watched:
    """A `gem.backbones.Backbone` over another one; it lies below a `gem.backbones.kept.Kept`.

    passes: how many forward passes of images there were. seconds: what they took. texts: how many
    prompts were embedded. All since `reset`.
    """

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self.reset()

    def __getattr__(self, name: str) -> Any:
        """All else is the backbone's."""
        return getattr(self._backbone, name)

    def reset(self) -> None:
        """Forget what was counted."""
        self.passes, self.seconds, self.texts = 0, 0.0, 0

    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """The backbone's trace."""
        begun = perf_counter()
        found = self._backbone.trace(images, keep)
        wait(images)
        self.seconds += perf_counter() - begun
        self.passes += 1
        return found

    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """The backbone's embeddings."""
        found = self._backbone.embed(prompts)
        self.texts += len(prompts)
        return found


def wait(tensor: Tensor) -> None:
    """Until a GPU has done what it was asked to do: only then does a clock say what that took."""
    if tensor.is_cuda:
        import torch

        torch.cuda.synchronize(tensor.device)
