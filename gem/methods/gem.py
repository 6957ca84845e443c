"""GEM: the Grounding Everything Module (Bousselham et al., CVPR 2024, arXiv 2312.00878)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, Strict, field_validator

from gem.options import Count, Flag, Positive, PositiveInt, options

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Layer, Trace

Tau = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]


@options
class Gem:
    """A second path through the last blocks: generalised self-self attention (Sec. 3.2, 3.3).

    In every block the path adds the mean of the q-q, k-k and v-v readouts (the ensemble of
    Sec. 3.3), through the block's own output projection, to its stream, without the MLP. Each
    readout is p_0 = xW / ||xW||, then K times p <- softmax(p p^T / tau) p, normalised again, then
    softmax(p_K p_K^T / tau) V (Eq. 4 to 7). The blocks read the ordinary path, which is left as
    it is; only the second path is projected.

    iters: K, the refining steps before the values are read; 0 or more. The paper fixes 1.
    temperature: ``adaptive`` (Eq. 8: 1/tau = mean token norm / sqrt(d)), ``standard``
        (1/tau = 1/sqrt(d), as the model was trained) or tau itself, a positive number that divides.
        The release's ``ss_attn_temp`` is the inverse of it.
    temperature_scale: multiplies 1/tau, the horizontal axis of Fig. 5.
    normalize: L2-normalise the projected tokens of each head, in every step.
    projections: which of q, k, v are averaged (Table 1).
    blocks: how many last blocks the path runs through, the paper's d (Table 6). The paper says
        4; the release has 6 (its ``gem_depth=7`` counts one more).
    mlp: also add the block's MLP to the path (Table 6, "MLP yes").
    """

    iters: Count = 1
    temperature: Literal["adaptive", "standard"] | Tau = "adaptive"
    temperature_scale: Positive = 1.0
    normalize: Flag = True
    projections: tuple[Literal["q", "k", "v"], ...] = ("q", "k", "v")
    blocks: PositiveInt = 4
    mlp: Flag = False

    @field_validator("projections")
    @classmethod
    def _some_and_distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("one or more of q, k, v, each at most once")
        return value

    @property
    def reads(self) -> int:
        """The blocks that the path runs through."""
        return self.blocks

    @property
    def kin(self) -> tuple[bool, str, float, int]:
        """What methods have in common that share readouts; sorted by it, they come in turn."""
        return (self.normalize, str(self.temperature), self.temperature_scale, self.iters)

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Walk the second path and project it."""
        layers = trace.last(self.blocks)
        resid = layers[0].resid
        for layer in layers:
            resid = resid + self._update(layer)
            if self.mlp:
                resid = resid + layer.mlp(resid)
        return trace.project(resid)

    def _update(self, layer: Layer) -> Float[Tensor, "b n c"]:
        """One block's write: the mean readout of the chosen projections."""
        return layer.self_self_update(
            self.projections,
            normalize=self.normalize,
            temperature=self.temperature,
            temperature_scale=self.temperature_scale,
            iters=self.iters,
        )
