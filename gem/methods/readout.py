"""What methods of the last block have in common: what they read, and what they add to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gem.depth import reached

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gem.self_attention import SelfAttention
    from gem.trace import Layer, Resid

SHARED = ("self-self", False, "standard", 1.0, 0)
"""The `Method.cache_group` of methods that read `plain`."""


def plain() -> SelfAttention:
    """softmax(p p^T / sqrt(d)) V: the q-q, k-k and v-v attention that most of the field reads."""
    from gem.self_attention import SelfAttention

    return SelfAttention(normalize=False, temperature="standard", temperature_scale=1.0, iters=0)


def surrounded(layer: Layer, update: Resid, *, residual: bool, mlp: bool) -> Resid:
    """The stream after a block whose attention wrote ``update``.

    residual: the stream that entered the block is added. mlp: then the block's MLP of the sum is.
    """
    resid = layer.resid + update if residual else update
    return resid + layer.mlp(resid) if mlp else resid


def earliest(layers: Iterable[int], depth: int, key: str) -> int:
    """How many of the last blocks reach back to the earliest of ``layers``, counted from 1.

    Raises ValueError, with ``key``, if a tower of ``depth`` blocks lacks one.
    """
    return max(reached(number, depth, key) for number in layers)
