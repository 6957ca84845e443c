"""One ordinary forward pass, kept: everything that a localisation method reads.

CLIP, MaskCLIP, CLIP Surgery and GEM never disturb the stream that they read.
So the tower runs once and leaves a `Trace`; a method is a function of it.

Shapes: b images, n tokens (class token first, then patches row by row), p patches, c width,
h heads, d head width, e embedding.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gem.block import Block, Heads, Projection, Readout, Resid

__all__ = ["Block", "Heads", "Layer", "Projection", "Readout", "Resid", "Temperature", "Trace"]

Temperature = Literal["adaptive", "standard"] | float
TINY = 1e-12  # as in `torch.nn.functional.normalize`


class SelfSelf(NamedTuple):
    """Which self-self attention is meant, apart from projection and number of iterations."""

    normalize: bool
    temperature: Temperature
    temperature_scale: float


class Read(NamedTuple):
    """What was read of a layer with one attention and one number of iterations."""

    readouts: dict[Projection, Heads]
    updates: dict[tuple[Projection, ...], Resid]


class Layer:
    """One block and the stream that entered it; everything else is computed when it is read.

    The update of a layer depends on the trace alone, never on a method's depth, so that many
    settings share it: iteration K+1 continues iteration K, subsets of projections average the same
    readouts, depths sum the same updates. Held are the points of the last `SelfSelf` and what the
    last two (of any K) read: bounded, and enough if related methods come in turn.
    """

    def __init__(self, resid: Resid, block: Block) -> None:
        self.resid = resid
        self.write = block.write
        self.mlp = block.mlp
        self._block = block
        self._points: dict[tuple[SelfSelf, Projection], tuple[int, Heads]] = {}
        self._read: dict[tuple[SelfSelf, int], Read] = {}

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
        kind = SelfSelf(normalize, temperature, temperature_scale)
        readouts = self._reading(kind, iters).readouts
        if projection not in readouts:
            points = self._iterate(kind, projection, iters)
            readouts[projection] = self._attend(kind, points, self.v)
        return readouts[projection]

    def self_self_update(
        self,
        projections: tuple[Projection, ...],
        *,
        normalize: bool,
        temperature: Temperature,
        temperature_scale: float,
        iters: int,
    ) -> Resid:
        """The write of the mean of several readouts of `self_self`."""
        kind = SelfSelf(normalize, temperature, temperature_scale)
        updates = self._reading(kind, iters).updates
        if projections not in updates:
            found = [self.self_self(one, **kind._asdict(), iters=iters) for one in projections]
            total = found[0].clone()
            for one in found[1:]:
                total += one
            updates[projections] = self.write(total.div_(len(found)))
        return updates[projections]

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
            inverse: Tensor = self._mean_norm * (scale / root)
            return inverse
        return scale / (root if temperature == "standard" else float(temperature))

    @cached_property
    def _mean_norm(self) -> Float[Tensor, "b 1 1 1"]:
        """Mean length of the tokens of each image."""
        norms = torch.linalg.vector_norm(self.normed, dim=-1, dtype=torch.float32)
        mean: Tensor = norms.mean(dim=1)[:, None, None, None]
        return mean

    def _reading(self, kind: SelfSelf, iters: int) -> Read:
        """What is held for this attention; the older of two others is let go for a new one."""
        if (kind, iters) not in self._read:
            while len(self._read) > 1:
                self._read.pop(next(iter(self._read)))
            self._read[kind, iters] = Read({}, {})
        return self._read[kind, iters]

    def _iterate(self, kind: SelfSelf, projection: Projection, iters: int) -> Heads:
        """p_K; continues from the last iteration computed, or starts again if that is past K."""
        self._points = {key: held for key, held in self._points.items() if key[0] == kind}
        done, points = self._points.get((kind, projection), (iters + 1, self.v))
        if done > iters:
            done, points = 0, getattr(self, projection)
            points = _unit(points.clone()) if kind.normalize else points
        for _ in range(done, iters):
            points = self._attend(kind, points, points)
            points = _unit(points) if kind.normalize else points
        self._points[kind, projection] = (iters, points)
        return points

    def _attend(self, kind: SelfSelf, points: Heads, values: Heads) -> Heads:
        inverse = self.inverse_temperature(kind.temperature, kind.temperature_scale)
        if isinstance(inverse, float):
            return F.scaled_dot_product_attention(points, points, values, scale=inverse)
        queries = points * inverse.to(points.dtype)
        return F.scaled_dot_product_attention(queries, points, values, scale=1.0)


def _unit(points: Heads) -> Heads:
    """Scales every vector to length 1, in place: a new tensor costs as much as the arithmetic."""
    return points.div_(torch.linalg.vector_norm(points, dim=-1, keepdim=True).clamp_min_(TINY))


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
