"""A vocabulary for random weights whose model comes without one: BERT's places, single letters.

Scores of random weights mean nothing, but prompts must be split, counted and found again as those
of a real model are.
"""

from __future__ import annotations

from typing import Any

BERT_SIZE = 30522  # of bert-base-uncased
SPECIAL = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
FIRST = 999  # where bert-base-uncased has "!": the ASCII characters follow, "." 1012, "?" 1029
CHARACTERS = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
INNER = [f"##{one}" for one in CHARACTERS if one.isalnum()]  # of a word, after its first letter
LEAST = FIRST + len(CHARACTERS) + len(INNER)


def letters(size: int = BERT_SIZE) -> list[str]:
    """The ``size`` words of a WordPiece vocabulary, by their ids; most of them are unused.

    Special tokens and ASCII characters have the ids of bert-base-uncased; the letters inside of
    words come after them. Raises ValueError for fewer words than that.
    """
    if size < LEAST:
        raise ValueError(f"a stand-in vocabulary has {LEAST} words or more, not {size}")
    words = [f"[unused{number}]" for number in range(size)]
    for word, place in SPECIAL.items():
        words[place] = word
    words[FIRST:LEAST] = [*CHARACTERS, *INNER]
    return words


def stand_in_tokenizer(size: int = BERT_SIZE, part: str = "segmenter") -> Any:
    """A ``BertTokenizer`` of `letters`: every letter is a token.

    ``part`` is the key of the model in the config. Raises ValueError if the package `transformers`
    is not installed, or for too few words.
    """
    from gem.hub.models import library

    return library(part).BertTokenizer(
        vocab={word: place for place, word in enumerate(letters(size))}
    )
