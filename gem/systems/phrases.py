"""Words as prompts of Grounding DINO: "a cat. a dog.", as many of them as its text tower reads.

Shapes: t tokens, q boxes, w words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

CLS, SEP, STOP = 101, 102, 1012  # what the model itself takes as ends of phrases, with "?"
ENDS = str.maketrans(".?", "  ")


@dataclass(frozen=True)
class Prompt:
    """Some phrases in a row. spans: of each word its place among all words, and its tokens."""

    tokens: tuple[int, ...]
    spans: tuple[tuple[int, slice], ...]

    @property
    def ids(self) -> Int64[Tensor, "1 t"]:
        """For the model."""
        return torch.tensor([self.tokens])

    def scores(self, logits: Float[Tensor, "q t"], words: int) -> Float[Tensor, "q w"]:
        """Of each word the highest probability of its tokens; 0 for words of other prompts."""
        shares = logits.sigmoid()
        found = shares.new_zeros(len(shares), words)
        for word, span in self.spans:
            found[:, word] = shares[:, span].amax(dim=1)
        return found


def prompts_of(words: Sequence[str], tokenizer: Any, room: int, part: str) -> list[Prompt]:
    """All words in small letters, in prompts of at most ``room`` tokens; no word is cut.

    A full stop or a question mark inside of a word would end its phrase: a space stands for it.
    Raises ValueError for a word that has no token, or too many for a prompt.
    """
    found: list[Prompt] = []
    spans: list[tuple[int, slice]] = []
    tokens = [CLS]
    for place, word in enumerate(words):
        own = _tokens(word, tokenizer, room, part)
        if len(tokens) + len(own) + 2 > room:  # with its full stop, and the end
            found.append(Prompt((*tokens, SEP), tuple(spans)))
            spans, tokens = [], [CLS]
        spans.append((place, slice(len(tokens), len(tokens) + len(own))))
        tokens = [*tokens, *own, STOP]
    return [*found, Prompt((*tokens, SEP), tuple(spans))]


def _tokens(word: str, tokenizer: Any, room: int, part: str) -> list[int]:
    plain = word.lower().translate(ENDS)
    own: list[int] = tokenizer(plain, add_special_tokens=False)["input_ids"]
    if not own:
        raise ValueError(f"{part}: the word {word!r} has no letters for the text tower")
    if len(own) + 3 > room:
        raise ValueError(
            f"{part}: the word {word!r} has {len(own)} tokens, the text tower reads {room - 3}"
        )
    return own
