"""ProxyCLIP (Lan et al., ECCV 2024, arXiv 2408.04883)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, SkipValidation, Strict

from gem.methods.method import Method
from gem.options import SINGLE, Factor, between, options
from gem.tower import Companion

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.similarity import Alike
    from gem.trace import Trace


@options
class ProxyClip(Method):
    """CLIP's values, read along the similarities of another model's patches.

    The final normalised patch tokens F of the companion (DINO) give cosines S. Each patch reads
    the values of CLIP's last block with the weights softmax(scale (S - margin mean S)), where what
    is negative has no weight; all heads read alike. The values are those of the patches, without
    the class token, brought to the companion's grid (bilinear); what is read goes through the
    block's output projection, without residual and FFN. Features lie on the companion's grid.
    Similarities are float32.

    companion: the model whose similarities are read; `gem.TimmVit` or any `gem.tower.Companion`.
    scale: gamma of the paper, the inverse temperature.
    margin: beta of the paper, how many times the mean similarity is taken off.
    """

    title: ClassVar[str] = "ProxyCLIP"
    published: ClassVar[str] = "2024-08"

    companion: SkipValidation[Companion] = Field()  # an interface: to check reads its properties
    scale: Factor = 3.0
    margin: Annotated[float, Strict(), between(0, SINGLE[1])] = 1.2

    @property
    def cache_group(self) -> tuple[Hashable, ...]:
        """Those of one companion come in turn: in one pass where there are several."""
        return ("companion", str(self.companion))

    def grid(self, trace: Trace) -> tuple[int, int]:
        """The patches of the companion."""
        return trace.companion.grid

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Read the values along the companion's similarities and project them."""
        import torch
        import torch.nn.functional as F

        last, other = trace.layers[-1], trace.companion
        features = other.project(other.final).to(last.v.device)
        values = _on_grid(last.v, trace.grid, other.grid)
        first = last.v.shape[2] - trace.grid[0] * trace.grid[1]  # tokens that are no patches
        found = [
            self._read(one, heads)  # one image at a time: there are as many weights as pairs
            for one, heads in zip(features[:, None], values[:, None], strict=True)
        ]
        written = last.write(torch.cat(found))
        return trace.project(F.pad(written, (0, 0, first, 0)))

    def _read(self, features: Tensor, values: Tensor) -> Tensor:
        """The values of one image along the similarities of its features."""
        from gem.similarity import cosines, read, sharpened

        alike: Alike = cosines(features)
        return read(sharpened(alike, scale=self.scale, margin=self.margin), values)


def _on_grid(
    values: Float[Tensor, "b h n d"], grid: tuple[int, int], wanted: tuple[int, int]
) -> Float[Tensor, "b h p d"]:
    """The values of the patches, bilinear to another grid; corners not aligned."""
    import torch.nn.functional as F
    from einops import rearrange

    patches = values[:, :, -grid[0] * grid[1] :]
    if grid == wanted:
        return patches
    plane = rearrange(patches.float(), "b h (u v) d -> b (h d) u v", u=grid[0])
    plane = F.interpolate(plane, size=wanted, mode="bilinear").to(values.dtype)
    return rearrange(plane, "b (h d) u v -> b h (u v) d", h=values.shape[1])
