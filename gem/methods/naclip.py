"""NACLIP (Hajimiri et al., WACV 2025, arXiv 2404.08181): attention to the neighbourhood."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gem.methods.method import Method
from gem.methods.readout import surrounded
from gem.options import Factor, Flag, options

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Heads, Layer, Trace


@options
class Naclip(Method):
    """softmax(k k^T / sqrt(d) + Omega) v of the last block, without residual and MLP (Sec. 3).

    Omega_ij = exp(-|p_i - p_j|^2 / (2 sigma^2)) with places p in patches (Eq. 6 and 7), added as it
    is, the same in all heads; 0 where one of the two is the class token, if there is one.

    sigma: of the Gaussian window, in patches.
    nonly: the neighbourhood only: no k-k product, and Omega times the mean of |q_i| |k_j| over all
        heads and pairs of tokens, divided by sqrt(d).
    residual, mlp: keep the block's residual and MLP: "vanilla" in the paper, its own is "reduced".
    """

    title: ClassVar[str] = "NACLIP"
    published: ClassVar[str] = "2024-04"

    sigma: Factor = 5.0
    nonly: Flag = False
    residual: Flag = False
    mlp: Flag = False

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Read the values of the last block."""
        last = trace.layers[-1]
        update = last.write(self.heads(last, trace.grid))
        return trace.project(surrounded(last, update, residual=self.residual, mlp=self.mlp))

    def heads(self, layer: Layer, grid: tuple[int, int]) -> Heads:
        """The attended values of a block, before they are written."""
        from torch.nn.functional import scaled_dot_product_attention

        from gem.similarity import read

        window = gaussian_window(layer.v, grid, self.sigma)
        if not self.nonly:
            return scaled_dot_product_attention(layer.k, layer.k, layer.v, attn_mask=window)
        lengths = [points.float().norm(dim=-1).mean(dim=2) for points in (layer.q, layer.k)]
        scale = (lengths[0] * lengths[1]).mean(dim=1)[:, None, None] / layer.v.shape[-1] ** 0.5
        return read((window.float() * scale).softmax(dim=-1), layer.v)


def gaussian_window(like: Heads, grid: tuple[int, int], sigma: float) -> Float[Tensor, "n n"]:
    """Omega for the tokens of ``like``, of its type: those of no place, and a grid row by row.

    A Gaussian of a distance is the product of one of rows and one of columns.
    """
    import torch

    axes = []
    for side in grid:
        place = torch.arange(side, device=like.device, dtype=torch.float32)
        axes.append((-((place[:, None] - place) ** 2) / (2 * sigma**2)).exp())
    between: Tensor = torch.kron(axes[0], axes[1])
    first = like.shape[2] - len(between)  # the class token, if there is one
    padded: Tensor = torch.nn.functional.pad(between, (first, 0, first, 0))
    return padded.to(like.dtype)
