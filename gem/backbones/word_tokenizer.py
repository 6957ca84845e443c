"""Whole words as tokens: the text side of the tiny committed model."""

import re
from collections.abc import Sequence

import torch
from torch import LongTensor


class WordTokenizer:
    """Texts to token ids, one id a word.

    Ids: 0 pads, word i of `vocabulary` is i + 1, then the start token and, highest of all, the end
    token: open_clip's text tower reads its feature at the position of the highest id.
    `context_length` counts the start and end tokens.
    """

    def __init__(self, vocabulary: Sequence[str], context_length: int) -> None:
        self.context_length = context_length
        self._ids = {word: i for i, word in enumerate(vocabulary, start=1)}
        self._start = len(self._ids) + 1
        self._end = len(self._ids) + 2
        if len(self._ids) != len(vocabulary):
            raise ValueError(
                f"the vocabulary holds {len(vocabulary)} words but only {len(self._ids)} differ"
            )

    @property
    def vocab_size(self) -> int:
        """The number of ids: words, padding, start and end."""
        return len(self._ids) + 3

    def encode(self, text: str) -> list[int]:
        """The ids of the lower-cased words of `text`, without start and end.

        Words are split on anything that is not a letter or a digit.
        Raises ValueError for a word outside the vocabulary.
        """
        return [self._id(word) for word in re.findall(r"[^\W_]+", text.lower())]

    def _id(self, word: str) -> int:
        if word not in self._ids:
            raise ValueError(
                f"the tiny model knows only {len(self._ids)} words and {word!r} is not one of them"
            )
        return self._ids[word]

    def __call__(self, texts: Sequence[str]) -> LongTensor:
        """Ids [P, context_length] with start, end and padding.

        Raises ValueError for a text that is too long, and for an unknown word.
        """
        rows = torch.zeros(len(texts), self.context_length, dtype=torch.long)
        for row, text in zip(rows, texts, strict=True):
            ids = [self._start, *self.encode(text), self._end]
            if len(ids) > self.context_length:
                raise ValueError(
                    f"text {text!r} is {len(ids)} tokens long with its start and end, "
                    f"but the model reads at most {self.context_length}"
                )
            row[: len(ids)] = torch.tensor(ids)
        return rows  # type: ignore[return-value]
