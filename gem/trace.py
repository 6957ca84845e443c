"""One ordinary forward pass, kept: everything that a localisation method reads.

CLIP, MaskCLIP, CLIP Surgery and GEM never disturb the stream that they read. So the tower runs
once, unmodified, and leaves a `Trace`; a method is a function of it.

Shapes: b images, n tokens (class token first, then patches row by row), p patches, c width,
h heads, d head width, e embedding.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Projection = Literal["q", "k", "v"]
Temperature = Literal["adaptive", "standard"] | float
Resid = Float[Tensor, "b n c"]
Heads = Float[Tensor, "b h n d"]


@runtime_checkable
class Block(Protocol):
    """What a backbone says of one of its pre-norm transformer blocks."""

    def norm(self, resid: Resid) -> Resid:
        """The normalised tokens that the attention reads."""

    def head(self, normed: Resid, projection: Projection) -> Heads:
        """Queries, keys or values, split into heads."""

    def write(self, heads: Heads) -> Resid:
        """The attention's residual update: heads merged, output projection, layer scale."""

    def mlp(self, resid: Resid) -> Resid:
        """The residual update of the second half of the block, from the stream."""


class SelfSelf(NamedTuple):
    """Which self-self attention is meant, apart from the number of iterations."""

    projection: Projection
    normalize: bool
    temperature: Temperature
    temperature_scale: float


class Layer:
    """One block and the stream that entered it; everything else is computed when it is read.

    The update of a layer depends on the trace alone, never on a method's depth, so that many
    settings share it: iteration K+1 continues iteration K, and each readout is computed once.
    """

    def __init__(self, resid: Resid, block: Block) -> None:
        self.resid = resid
        self.write = block.write
        self.mlp = block.mlp
        self._block = block
        self._points: dict[SelfSelf, tuple[int, Tensor]] = {}
        self._readouts: dict[tuple[SelfSelf, int], Tensor] = {}

    @cached_property
    def normed(self) -> Resid:
        """The tokens x of the paper, before the projections."""
        return self._block.norm(self.resid)

    @cached_property
    def q(self) -> Heads:
        """Queries."""
        return self._block.head(self.normed, "q")

    @cached_property
    def k(self) -> Heads:
        """Keys."""
        return self._block.head(self.normed, "k")

    @cached_property
    def v(self) -> Heads:
        """Values."""
        return self._block.head(self.normed, "v")

    @cached_property
    def out(self) -> Resid:
        """The stream after this block, by the model's own attention and MLP."""
        resid = self.resid + self.write(F.scaled_dot_product_attention(self.q, self.k, self.v))
        return resid + self.mlp(resid)

    def self_self(
        self,
        projection: Projection,
        *,
        normalize: bool,
        temperature: Temperature,
        temperature_scale: float,
        iters: int,
    ) -> Heads:
        """Read the values by self-self attention: softmax(p_K p_K^T / tau) V.

        Bousselham et al. 2024, Eq. 4 to 7: p_0 is the projection, L2-normalised per head where
        ``normalize`` says so; each of the K = ``iters`` steps is p <- softmax(p p^T / tau) p,
        normalised again; one more attention of the same form then reads V. With K=0, no
        normalisation and tau = sqrt(d) it is the v-v attention of CLIP Surgery.
        """
        kind = SelfSelf(projection, normalize, temperature, temperature_scale)
        if (kind, iters) not in self._readouts:
            points = self._iterate(kind, iters)
            self._readouts[kind, iters] = self._attend(kind, points, self.v)
        return self._readouts[kind, iters]

    def inverse_temperature(
        self, temperature: Temperature, scale: float
    ) -> Float[Tensor, "b 1 1 1"] | float:
        """1/tau times ``scale``: one number per image if adaptive, else one for all.

        ``adaptive`` is Eq. 8: mean token norm / sqrt(d), over all tokens of the image. d is the
        head width, as in the released code: the paper's "dimension of tokens" is the width there.
        ``standard`` is the model's own 1/sqrt(d). A number is tau itself.
        """
        root = self.v.shape[-1] ** 0.5
        if temperature == "adaptive":
            norms = torch.linalg.vector_norm(self.normed, dim=-1, dtype=torch.float32)
            inverse: Tensor = norms.mean(dim=1)[:, None, None, None] * (scale / root)
            return inverse
        return scale / (root if temperature == "standard" else float(temperature))

    def _iterate(self, kind: SelfSelf, iters: int) -> Heads:
        """p_K; continues from the last iteration computed, or starts again if that is past K."""
        held = self._points.get(kind)
        if held is not None and held[0] <= iters:
            done, points = held
        else:
            done, points = 0, self._settle(kind, getattr(self, kind.projection))
        for _ in range(done, iters):
            points = self._settle(kind, self._attend(kind, points, points))
        self._points[kind] = (iters, points)
        return points

    def _settle(self, kind: SelfSelf, points: Heads) -> Heads:
        return F.normalize(points, dim=-1) if kind.normalize else points

    def _attend(self, kind: SelfSelf, points: Heads, values: Heads) -> Heads:
        inverse = self.inverse_temperature(kind.temperature, kind.temperature_scale)
        if isinstance(inverse, float):
            return F.scaled_dot_product_attention(points, points, values, scale=inverse)
        queries = points * inverse.to(points.dtype)
        return F.scaled_dot_product_attention(queries, points, values, scale=1.0)


@runtime_checkable
class Readout(Protocol):
    """The tower's way from the stream to the space that it shares with text."""

    def __call__(self, resid: Resid) -> Float[Tensor, "b p e"]:
        """Final norm and projection of the patch tokens; the class token is dropped."""


class Trace:
    """The last layers of one forward pass, and the way out of the stream.

    ``layers`` are the last blocks of the tower, oldest first; ``grid`` is the number of patches
    (rows, columns); ``project`` maps a stream [b n c] to patch features [b p e].
    """

    def __init__(self, layers: Sequence[Layer], *, project: Readout, grid: tuple[int, int]) -> None:
        self.layers = tuple(layers)
        self.project = project
        self.grid = grid

    @property
    def final(self) -> Resid:
        """The stream after the last block; computed when it is first read."""
        return self.layers[-1].out

    def last(self, blocks: int) -> tuple[Layer, ...]:
        """The last ``blocks`` layers. Raises ValueError if the tower has fewer."""
        if not 1 <= blocks <= len(self.layers):
            raise ValueError(
                f"blocks={blocks} last blocks were asked for, but the tower has {len(self.layers)}"
            )
        return self.layers[-blocks:]
