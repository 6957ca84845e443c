"""Classes as words: what is asked of the text tower.

Shapes: w words (one query each), t templates, e embedding, c classes.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from gem.options import Flag, options

if TYPE_CHECKING:
    from jaxtyping import Float, Int64
    from torch import Tensor


# Characters that nobody sees: soft hyphen, zero-width space, word joiner, byte order mark, fillers.
INVISIBLE = frozenset("\u00ad\u034f\u115f\u1160\u180e\u200b\u2060\u2800\u3164\ufeff\uffa0")


def _has_one_gap(template: str) -> str:
    """As `str.format` will read it: ``{{}}`` is no gap."""
    try:
        gaps = [gap[1:] for gap in Formatter().parse(template) if gap[1] is not None]
    except ValueError:  # braces that are not paired
        gaps = []
    if gaps != [("", "", None)]:
        raise ValueError(f"the template {template!r} needs one {{}} for the word, and no other gap")
    return template


@options
class Prompts:
    """Templates with a gap ``{}`` for the word. GEM has one: "a photo of a {}" (Sec. 4.1)."""

    templates: Annotated[
        tuple[Annotated[str, AfterValidator(_has_one_gap)], ...], Field(min_length=1)
    ]


@dataclass(frozen=True)
class Queries:
    """What a vocabulary asks: words, their embeddings, and the class that each stands for.

    text: what `gem.Segmenter.embed` gives, of unit length where cosines are taken of it; e is 0
        for a segmenter that reads no text.
    owners: the class of each word, in the order of the classes, each with one word or more; on the
        host, so that nothing waits for a GPU to know it.
    background: whether class 0 is the background, asked in words like the others.
    words: without templates.
    """

    text: Float[Tensor, "w e"]
    owners: tuple[int, ...]
    background: bool
    words: tuple[str, ...]

    @cached_property
    def class_index(self) -> Int64[Tensor, " w"]:
        """The owners, where the embeddings are."""
        import torch

        return torch.tensor(self.owners, device=self.text.device)

    @property
    def sizes(self) -> list[int]:
        """How many words each class has."""
        found = Counter(self.owners)
        return [found[index] for index in range(self.classes)]

    @property
    def classes(self) -> int:
        """How many classes the words stand for."""
        return self.owners[-1] + 1

    def by_class(self, maps: Float[Tensor, "w *yx"]) -> tuple[Float[Tensor, "n *yx"], ...]:
        """The maps of the words of each class, one after the other."""
        import torch

        return torch.split(maps, self.sizes)


@options
class Vocabulary:
    """Classes by name, and the words asked for each.

    words: one entry per class; ``;`` separates several words of one class, each a query.
    background: whether the first entry stands for the background.
    """

    names: Annotated[tuple[str, ...], Field(min_length=1)]
    words: tuple[str, ...]
    background: Flag = False

    @model_validator(mode="after")
    def _paired(self) -> Vocabulary:
        if len(self.words) != len(self.names):
            raise ValueError(f"{len(self.names)} names but words for {len(self.words)} classes")
        known: set[tuple[int, str]] = set()
        for index, word in self.class_words:
            name, alike = self.names[index], (index, same_form(word))
            if not alike[1]:
                raise ValueError(f"the class {name!r} has an empty word in {self.words[index]!r}")
            if odd := [one for one in word if _unseen(one)]:
                raise ValueError(
                    f"the class {name!r} has the word {word!r}, in which U+{ord(odd[0]):04X} "
                    "cannot be seen: take it out"
                )
            if alike in known:
                raise ValueError(f"the class {name!r} has the word {word!r} twice")
            known.add(alike)
        return self

    @property
    def clashes(self) -> tuple[str, ...]:
        """A sentence for each word of a class that an earlier class has too.

        Where classes compete for a pixel they are equal there, and the earlier one is chosen.
        """
        first: dict[str, int] = {}
        return tuple(
            f"{word!r} is a word of {self.names[owner]!r} and of {self.names[index]!r}"
            for index, word in self.class_words
            if (owner := first.setdefault(same_form(word), index)) != index
        )

    @property
    def class_words(self) -> tuple[tuple[int, str], ...]:
        """Index of the class and the word, for every word in order."""
        return tuple(
            (index, word.strip())
            for index, entry in enumerate(self.words)
            for word in entry.split(";")
        )

    def with_text(self, text: Float[Tensor, "w e"]) -> Queries:
        """The queries whose embeddings are ``text``, one for each of `class_words`."""
        owners = tuple(index for index, _ in self.class_words)
        words = tuple(word for _, word in self.class_words)
        return Queries(text, owners, background=self.background, words=words)


def same_form(word: str) -> str:
    """The form in which words that look or sound the same to a text tower are equal.

    One code for each letter (NFKC), small letters, single spaces, nothing that formats only.
    """
    plain = unicodedata.normalize("NFKC", word).casefold()
    seen = [one for one in plain if unicodedata.category(one) != "Cf" and one not in INVISIBLE]
    return " ".join("".join(seen).split())


def _unseen(character: str) -> bool:
    """Whether a character is `INVISIBLE`, a control code that is no space, or half a character."""
    coded = unicodedata.category(character) in {"Cc", "Cs"} and not character.isspace()
    return coded or character in INVISIBLE


def check_text(text: Float[Tensor, "w e"], words: Sequence[str]) -> None:
    """Raise ValueError with the first word whose embedding has numbers that are not finite."""
    finite = text.isfinite().all(dim=1).tolist()
    if not all(finite):
        word = words[finite.index(False)]
        raise ValueError(f"the embedding of the word {word!r} is 0 or not finite")


def embed_words(
    vocabulary: Vocabulary,
    prompts: Prompts,
    embed: Callable[[Sequence[str]], Float[Tensor, "p e"]],
) -> Float[Tensor, "w e"]:
    """One embedding per word: the mean over the filled templates, normalised again.

    ``embed`` gives unit-length embeddings of p prompts. Raises ValueError, naming the word, for an
    embedding that is 0 or not finite.
    """
    from einops import rearrange

    templates = prompts.templates
    filled = [form.format(word) for _, word in vocabulary.class_words for form in templates]
    text = rearrange(embed(filled), "(w t) e -> w t e", t=len(templates))
    mean = text.mean(dim=1)
    found: Tensor = mean / mean.norm(dim=-1, keepdim=True)  # of length 0: nan, never a silent 0
    check_text(found, [word for _, word in vocabulary.class_words])
    return found
