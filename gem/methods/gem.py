"""GEM: the Grounding Everything Module (Bousselham et al., CVPR 2024, arXiv 2312.00878)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import field_validator, model_validator

from gem.methods.method import Method
from gem.options import SINGLE, Factor, Flag, Iterations, PositiveInt, options

if TYPE_CHECKING:
    from collections.abc import Hashable

    from jaxtyping import Float
    from torch import Tensor

    from gem.self_attention import SelfAttention
    from gem.trace import Trace


@options
class Gem(Method):
    """A second path through the last blocks: generalised self-self attention (Sec. 3.2, 3.3).

    In every block the path adds the mean of the values that q-q, k-k and v-v attend to (the
    ensemble of Sec. 3.3), through the block's own output projection, to its stream, without the
    MLP. Each self-self attention starts from p_0 = xW / ||xW||, takes K steps
    p <- softmax(p p^T / tau) p, normalised again, and reads softmax(p_K p_K^T / tau) V
    (Eq. 4 to 7). The blocks read the ordinary path, which is left as it is; only the second path
    is projected.

    iters: K, the refining steps before the values are read; 0 to 1000. The paper fixes 1.
    temperature: ``adaptive`` (Eq. 8: 1/tau = mean token norm / sqrt(d)), ``standard``
        (1/tau = 1/sqrt(d), as the model was trained) or tau itself, a positive number that divides.
        The release's ``ss_attn_temp`` is the inverse of it.
    temperature_scale: multiplies 1/tau, the horizontal axis of Fig. 5.
    normalize: L2-normalise the projected tokens of each head, in every step.
    projections: which of q, k, v are averaged (Table 1).
    blocks: how many last blocks the path runs through, the paper's d (Table 6). The paper says
        4; the release has 6 (its ``gem_depth=7`` counts one more).
    mlp: also add the block's MLP to the path (Table 6, "MLP yes").
    residual: false replaces the path in every block instead of adding to it, so that the last
        block's readout alone is left, whatever ``blocks`` is: the row "no residual" of ClearCLIP's
        table.
    """

    title: ClassVar[str] = "GEM"
    published: ClassVar[str] = "2023-12"

    iters: Iterations = 1
    temperature: Literal["adaptive", "standard"] | Factor = "adaptive"
    temperature_scale: Factor = 1.0
    normalize: Flag = True
    projections: tuple[Literal["q", "k", "v"], ...] = ("q", "k", "v")
    blocks: PositiveInt = 4
    mlp: Flag = False
    residual: Flag = True

    @field_validator("projections")
    @classmethod
    def _some_and_distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("one or more of q, k, v, each at most once")
        return value

    @model_validator(mode="after")
    def _representable(self) -> Gem:
        if isinstance(self.temperature, str):
            return self
        (low, high), inverse = SINGLE, self.temperature_scale / self.temperature
        if not low <= inverse <= high:
            raise ValueError(
                f"temperature_scale={self.temperature_scale:g} over temperature="
                f"{self.temperature:g} is {inverse:g}, expected a number from {low:g} to {high:g}"
            )
        return self

    @property
    def num_blocks(self) -> int:
        """The blocks that the path runs through."""
        return self.blocks if self.residual else 1

    @property
    def cache_group(self) -> tuple[Hashable, ...]:
        """Methods that differ in the rest share attended values; K last: K+1 continues K."""
        step = (self.normalize, str(self.temperature), self.temperature_scale)
        return ("self-self", *step, self.iters)

    @property
    def attention(self) -> SelfAttention:
        """The self-self attention of every block."""
        from gem.self_attention import SelfAttention

        return SelfAttention(
            normalize=self.normalize,
            temperature=self.temperature,
            temperature_scale=self.temperature_scale,
            iters=self.iters,
        )

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Walk the second path and project it."""
        layers, attention = trace.last(self.num_blocks), self.attention
        resid = layers[0].resid
        for layer in layers:
            update = layer.update(self.projections, attention)
            resid = resid + update if self.residual else update
            if self.mlp:
                resid = resid + layer.mlp(resid)
        return trace.project(resid)
