"""Self-self attention: GEM's Eq. 4 to 8 (Bousselham et al., CVPR 2024, arXiv 2312.00878).

Shapes: b images, n tokens, c width, h heads, d head width.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gem.block import Heads, Resid

Temperature = Literal["adaptive", "standard"] | float
InverseTemperature = Float[Tensor, "b 1 1 1"] | float
TINY = 1e-12  # as in `torch.nn.functional.normalize`


@dataclass(frozen=True)
class SelfAttention:
    """Options of `gem.Gem`, where they are explained; ``iters`` is K, the number of steps.

    With K=0, without normalisation and at the standard temperature it is the v-v, q-q or k-k
    attention of CLIP Surgery.
    """

    normalize: bool
    temperature: Temperature
    temperature_scale: float
    iters: int

    @property
    def step(self) -> tuple[bool, Temperature, float]:
        """What one step depends on: attentions that differ in K alone take the same steps."""
        return (self.normalize, self.temperature, self.temperature_scale)


def inverse_temperature(tokens: Resid, width: int, attention: SelfAttention) -> InverseTemperature:
    """1/tau times the scale: one number per image if adaptive, else one for all.

    ``adaptive`` is Eq. 8: mean norm of all tokens of the image / sqrt(d). d is the head width, as
    in the released code: the paper's "dimension of tokens" is the width there. ``standard`` is the
    model's own 1/sqrt(d). A number is tau itself.
    """
    kind, scale, root = attention.temperature, attention.temperature_scale, width**0.5
    if kind != "adaptive":
        return scale / (root if kind == "standard" else float(kind))
    norms = torch.linalg.vector_norm(tokens, dim=-1, dtype=torch.float32)
    inverse: Tensor = norms.mean(dim=1)[:, None, None, None] * (scale / root)
    return inverse


def start(projected: Heads, attention: SelfAttention) -> Heads:
    """p_0 = xW / ||xW|| per head; xW itself without normalisation."""
    return _unit(projected.clone()) if attention.normalize else projected


def refine(points: Heads, inverse: InverseTemperature, attention: SelfAttention) -> Heads:
    """One step: p <- softmax(p p^T / tau) p, normalised again."""
    points = attend(points, points, inverse)
    return _unit(points) if attention.normalize else points


def attend(points: Heads, values: Heads, inverse: InverseTemperature) -> Heads:
    """softmax(p p^T / tau) V: after K steps this reads the values."""
    if isinstance(inverse, float):
        return F.scaled_dot_product_attention(points, points, values, scale=inverse)
    queries = points * inverse.to(points.dtype)
    return F.scaled_dot_product_attention(queries, points, values, scale=1.0)


def _unit(points: Heads) -> Heads:
    """Scales every vector to length 1, in place: a new tensor costs as much as the arithmetic."""
    return points.div_(torch.linalg.vector_norm(points, dim=-1, keepdim=True).clamp_min_(TINY))
