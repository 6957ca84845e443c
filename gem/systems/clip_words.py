"""Prompts as CLIP's byte-pair tokens, for text towers that read them.

The tokenizer is open_clip's: the ids are those of the hub's CLIP tokenizers. A text tower of CLIP
reads from left to right and is asked at the end token, so what follows it does not matter.

Shapes: w prompts, t tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from gem.backbones.known import load_open_clip

if TYPE_CHECKING:
    from jaxtyping import Float, Int64
    from torch import Tensor

SIZE = 49408  # of CLIP's vocabulary: 256 bytes, the same ending words, 48894 merges, start, end
CHUNK = 256  # prompts at a time


def check_words(text_config: Any, place: str) -> None:
    """Raise ValueError for a text tower that does not read CLIP's tokens."""
    found = text_config.vocab_size
    if found != SIZE:
        raise ValueError(
            f"{place}: its text tower reads {found} tokens, expected the {SIZE} of CLIP"
        )


def tokens(prompts: Sequence[str], length: int) -> Int64[Tensor, "w t"]:
    """Start, the prompt's tokens, end, and zeros up to ``length``.

    Raises ValueError for a prompt that is longer.
    """
    tokenizer, room = _tokenizer(), length - 2
    for prompt in prompts:
        if (count := len(tokenizer.encode(prompt))) > room:
            raise ValueError(
                f"the prompt {prompt!r} has {count} tokens, but the text tower reads {room}"
            )
    found: Tensor = tokenizer(list(prompts), context_length=length)
    return found


def in_chunks(
    prompts: Sequence[str],
    length: int,
    device: object,
    features: Callable[[Tensor], Float[Tensor, "n e"]],
) -> Float[Tensor, "w e"]:
    """The ``features`` of the tokens of all prompts, float32."""
    import torch

    parts = [prompts[first : first + CHUNK] for first in range(0, len(prompts), CHUNK)]
    with torch.inference_mode():
        found = [features(tokens(part, length).to(device)).float() for part in parts]  # type: ignore[call-overload]
    return torch.cat(found).clone()


@cache
def _tokenizer() -> Any:
    return load_open_clip().SimpleTokenizer()
