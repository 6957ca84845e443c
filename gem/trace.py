"""One ordinary forward pass, kept: everything that a localisation method reads.

CLIP, MaskCLIP, CLIP Surgery and GEM never disturb the stream that they read.
So the tower runs once and leaves a `Trace`; a method is a function of it.

Shapes: b images, n tokens (class token first, if there is one, then patches row by row), p patches,
c width, h heads, d head width, e embedding.
"""

from collections.abc import Callable, Hashable, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property

import torch.nn.functional as F
from torch import Tensor

from gem.block import Block, Heads, PatchProjector, Projection, Resid
from gem.depth import check_depth, reached
from gem.self_attention import (
    InverseTemperature,
    SelfAttention,
    attend,
    inverse_temperature,
    refine,
    start,
)

__all__ = ["Block", "Heads", "Layer", "PatchProjector", "Projection", "Resid", "Trace"]


@dataclass(frozen=True)
class Steps:
    """The points of attentions that differ in the number of iterations alone.

    ``points`` holds for each projection the last iteration computed: its number and p.
    """

    step: object
    inverse: InverseTemperature
    points: dict[Projection, tuple[int, Heads]] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """What one attention read: values by projection, updates by the projections averaged."""

    values: dict[Projection, Heads] = field(default_factory=dict)
    updates: dict[tuple[Projection, ...], Resid] = field(default_factory=dict)


class Layer:
    """One block and the stream that entered it; everything else is computed when it is read.

    The update of a layer depends on the trace alone, never on a method's depth, so that many
    settings share it: iteration K+1 continues iteration K, subsets of projections average the same
    attended values, depths sum the same updates. Held are the points of the last kind of step and
    what the last two attentions read: bounded, and enough if related methods come in turn.
    """

    def __init__(self, resid: Resid, block: Block) -> None:
        self.resid = resid
        self.block = block
        self._steps: Steps | None = None
        self._read: dict[SelfAttention, Read] = {}

    @cached_property
    def normed(self) -> Resid:
        """The tokens x of the paper, before the projections."""
        return self.block.norm(self.resid)

    @cached_property
    def q(self) -> Heads:
        """Queries."""
        return self.block.head(self.normed, "q")

    @cached_property
    def k(self) -> Heads:
        """Keys."""
        return self.block.head(self.normed, "k")

    @cached_property
    def v(self) -> Heads:
        """Values."""
        return self.block.head(self.normed, "v")

    @cached_property
    def out(self) -> Resid:
        """The stream after this block, by the model's own attention and MLP."""
        resid = self.resid + self.write(F.scaled_dot_product_attention(self.q, self.k, self.v))
        return resid + self.mlp(resid)

    def projected(self, projection: Projection) -> Heads:
        """Queries, keys or values by name."""
        found: Heads = getattr(self, projection)
        return found

    def write(self, heads: Heads) -> Resid:
        """`Block.write`: heads merged and projected, to be added to a stream."""
        return self.block.write(heads)

    def mlp(self, resid: Resid) -> Resid:
        """`Block.mlp`: what the second half of the block adds to a stream."""
        return self.block.mlp(resid)

    def attended(self, projection: Projection, attention: SelfAttention) -> Heads:
        """The values, read by self-self attention of one projection: softmax(p_K p_K^T / tau) V."""
        held = self._reading(attention).values
        if projection not in held:
            steps = self._steps_of(attention)
            points = self._iterate(projection, attention, steps)
            held[projection] = attend(points, self.v, steps.inverse)
        return held[projection]

    def update(self, projections: tuple[Projection, ...], attention: SelfAttention) -> Resid:
        """The write of the mean of the values that several projections attend to."""
        held = self._reading(attention).updates
        if projections not in held:
            found = [self.attended(one, attention) for one in projections]
            total = found[0].clone()
            for one in found[1:]:
                total += one
            held[projections] = self.write(total.div_(len(found)))
        return held[projections]

    def _reading(self, attention: SelfAttention) -> Read:
        """What is held for this attention; the older of two others is dropped for a new one."""
        if attention not in self._read:
            while len(self._read) > 1:
                self._read.pop(next(iter(self._read)))
            self._read[attention] = Read()
        return self._read[attention]

    def _steps_of(self, attention: SelfAttention) -> Steps:
        """The steps held, if they are of this kind; else new ones in their place."""
        if self._steps is None or self._steps.step != attention.step:
            self._steps = None  # before the new ones: memory
            inverse = inverse_temperature(self.normed, self.v.shape[-1], attention)
            self._steps = Steps(attention.step, inverse)
        return self._steps

    def _iterate(self, projection: Projection, attention: SelfAttention, steps: Steps) -> Heads:
        """p_K; continues from the last iteration computed, or starts again if that is past K."""
        done, points = steps.points.get(projection, (attention.iters + 1, self.v))
        if done > attention.iters:
            done, points = 0, start(self.projected(projection), attention)
        for _ in range(done, attention.iters):
            points = refine(points, steps.inverse, attention)
        steps.points[projection] = (attention.iters, points)
        return points


class Trace:
    """The last layers of one forward pass, and the way out of the stream.

    ``layers`` are the last blocks of the tower, oldest first; ``depth`` is the number of all its
    blocks, the layers' number unless given; ``grid`` is the number of patches (rows, columns);
    ``project`` maps a stream [b n c] to patch features [b p e].
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        project: PatchProjector,
        grid: tuple[int, int],
        depth: int | None = None,
    ) -> None:
        self.layers = tuple(layers)
        self.project = project
        self.grid = grid
        self.depth = len(self.layers) if depth is None else depth
        self._companion: "Trace | None" = None
        self._held: dict[Hashable, Tensor] = {}

    def once(self, key: Hashable, make: Callable[[], Tensor]) -> Tensor:
        """What several methods read of the whole trace: made once, held as long as the trace is."""
        if key not in self._held:
            self._held[key] = make()
        return self._held[key]

    def beside(self, companion: "Trace") -> "Trace":
        """This trace with that of another model for the same pixels; layers and work are shared."""
        both = copy(self)
        both._companion = companion  # noqa: SLF001 its own class
        return both

    @property
    def companion(self) -> "Trace":
        """The trace of the other model. Raises ValueError if there is none."""
        if self._companion is None:
            raise ValueError("the method reads a companion, and the trace has none beside it")
        return self._companion

    @property
    def final(self) -> Resid:
        """The stream after the last block; computed when it is first read."""
        return self.layers[-1].out

    def last(self, blocks: int) -> tuple[Layer, ...]:
        """The last ``blocks`` layers. Raises ValueError if the tower has fewer."""
        check_depth(blocks, len(self.layers))
        return self.layers[-blocks:]

    def block(self, number: int) -> Layer:
        """A block by its number in the tower, from 1. Raises ValueError if it was not kept."""
        reached(number, self.depth)
        return self.last(self.depth - number + 1)[0]

    def output(self, number: int) -> Resid:
        """The stream after a block, counted from 1. Raises ValueError if it was not kept."""
        if number == self.depth:
            return self.final
        return self.block(number + 1).resid
