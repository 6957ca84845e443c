"""What is asked of a picture: words, methods, and the settings that sliders move."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gem.options import Factor, Fraction, Iterations, PositiveInt, options

MOST_WORDS = 24
MOST_METHODS = 8


@options
class Question:
    """One question.

    words: what is looked for. methods: titles, in any order. iters, temperature_scale, blocks: of
    `gem.Gem`; the other methods have their own. background: probability under which a pixel of
    the label map shows none of the words; 0 leaves no pixel without one.
    """

    words: Annotated[tuple[str, ...], Field(min_length=1)]
    methods: Annotated[tuple[str, ...], Field(min_length=1)]
    iters: Iterations = 1
    temperature_scale: Factor = 1.0
    blocks: PositiveInt = 4
    background: Fraction = 0.85


def read_words(text: str) -> tuple[str, ...]:
    """The words of a text, one a line or between ``;``; what is there twice counts once.

    Raises ValueError if there are none, or too many.
    """
    parts = [part.strip() for line in text.splitlines() for part in line.split(";")]
    words = tuple(dict.fromkeys(part for part in parts if part))
    if not words:
        raise ValueError("no words: write what to look for, one a line")
    if len(words) > MOST_WORDS:
        raise ValueError(f"{len(words)} words, expected {MOST_WORDS} at most")
    return words


def chosen(titles: list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """The methods that were ticked. Raises ValueError for none, or too many."""
    if not titles:
        raise ValueError("no method is chosen: tick one, or several")
    if len(titles) > MOST_METHODS:
        raise ValueError(f"{len(titles)} methods, expected {MOST_METHODS} at most")
    return tuple(titles)
