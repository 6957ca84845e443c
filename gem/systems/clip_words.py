"""Prompts as CLIP's byte-pair tokens, for text towers that read them.

The tokenizer is open_clip's: the ids are those of the hub's CLIP tokenizers. A text tower of CLIP
reads from left to right and is asked at the end token, so what follows it does not matter: prompts
are padded to the longest of them, and not to all that the tower can read, which is several times as
fast.

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
END = SIZE - 1  # the token where the tower is asked
CHUNK = 256  # prompts at a time


def check_words(text_config: Any, place: str) -> None:
    """Raise ValueError for a text tower that does not read CLIP's tokens."""
    found = text_config.vocab_size
    if found != SIZE:
        raise ValueError(
            f"{place}: its text tower reads {found} tokens, expected the {SIZE} of CLIP"
        )


def tokens(prompts: Sequence[str], length: int) -> Int64[Tensor, "w t"]:
    """Start, the prompt's tokens, end, and zeros up to the longest of the prompts.

    Raises ValueError for a prompt that does not fit into ``length``.
    """
    tokenizer, room = _tokenizer(), length - 2
    for prompt in prompts:
        if (count := len(tokenizer.encode(prompt))) > room:
            raise ValueError(
                f"the prompt {prompt!r} has {count} tokens, but the text tower reads {room}"
            )
    found: Tensor = tokenizer(list(prompts), context_length=length)
    longest = int((found == END).int().argmax(dim=1).max()) + 1
    return found[:, :longest]


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
