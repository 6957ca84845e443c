"""PEARL (Pei et al., CVPR 2026, arXiv 2603.21528): keys turned towards queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gem.methods.method import Method
from gem.methods.readout import surrounded
from gem.options import Flag, Weight, options

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Heads, Layer, Trace

STEPS = 5  # of Newton and Schulz: as published, not until they converge


@options
class Pearl(Method):
    """The Procrustes alignment in the last block; no residual, no MLP (Sec. 3.2).

    Per head, in float32: softmax(s q (k R)^T + alpha s k_c k_c^T) v with s = 1/sqrt(d). k_c and q_c
    are keys and queries without their means, which tokens enter by their share of |q| (the class
    token not at all); R turns the keys to the queries: the orthogonal factor of M = k_c^T q_c, by 5
    steps of Newton and Schulz from M / sqrt(|M^T M|_F). That root is our reading, not held against
    their code: without it R would be near 0. The second half of the paper, the text-aware
    propagation of the maps, is left out.

    alpha: of the k-k term: 0.08, but 0.3 on ADE20K and Cityscapes (``experiment=pearl``).
    residual, mlp: keep the block's residual and MLP.
    """

    title: ClassVar[str] = "PEARL (alignment)"
    published: ClassVar[str] = "2026-03"

    alpha: Weight = 0.08
    residual: Flag = False
    mlp: Flag = False

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Read the values of the last block."""
        last = trace.layers[-1]
        first = last.v.shape[2] - trace.grid[0] * trace.grid[1]  # the class token, if there is one
        update = last.write(self._heads(last, first))
        return trace.project(surrounded(last, update, residual=self.residual, mlp=self.mlp))

    def _heads(self, layer: Layer, first: int) -> Heads:
        """One head at a time: queries and keys of twice the width suit no fused attention."""
        import torch

        scale = layer.v.shape[-1] ** -0.5
        found = []
        for head in range(layer.v.shape[1]):
            q, k, v = (one[:, head].float() for one in (layer.q, layer.k, layer.v))
            share = q.norm(dim=-1, keepdim=True)
            share[:, :first] = 0
            share /= share.sum(dim=1, keepdim=True)
            away_q, away_k = (one - (share * one).sum(dim=1, keepdim=True) for one in (q, k))
            logits = q @ (k @ orthogonal_factor(away_k.mT @ away_q)).mT
            logits += self.alpha * away_k @ away_k.mT
            found.append(logits.mul_(scale).softmax(dim=-1) @ v)
        return torch.stack(found, dim=1).to(layer.v.dtype)


def orthogonal_factor(matrix: Float[Tensor, "b d d"]) -> Float[Tensor, "b d d"]:
    """About U V^T of the singular value decomposition U S V^T, by `STEPS` steps."""
    import torch

    size = (matrix.mT @ matrix).norm(dim=(1, 2), keepdim=True).sqrt()
    found: Tensor = matrix / size.clamp_min(torch.finfo(matrix.dtype).tiny)
    for _ in range(STEPS):
        found = 1.5 * found - 0.5 * found @ (found.mT @ found)
    return found
