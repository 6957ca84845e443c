"""Classes as words: what is asked of the text tower.

Shapes: w words (one query each), t templates, e embedding, c classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from gem.options import Flag, options

if TYPE_CHECKING:
    from jaxtyping import Float, Int64
    from torch import Tensor


def _has_one_gap(template: str) -> str:
    if template.count("{}") != 1:
        raise ValueError(f"the template {template!r} needs one {{}} for the word")
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

    text: of unit length; e is 0 for a segmenter that reads no text.
    class_index: in the order of the classes, each with one word or more.
    background: whether class 0 is the background, asked in words like the others.
    words: without templates.
    """

    text: Float[Tensor, "w e"]
    class_index: Int64[Tensor, " w"]
    background: bool
    words: tuple[str, ...]

    @property
    def classes(self) -> int:
        """How many classes the words stand for."""
        return int(self.class_index[-1]) + 1

    def by_class(self, maps: Float[Tensor, "w *yx"]) -> tuple[Float[Tensor, "n *yx"], ...]:
        """The maps of the words of each class, one after the other."""
        import torch

        sizes: list[int] = torch.bincount(self.class_index).tolist()
        return torch.split(maps, sizes)


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
        for index, word in self.class_words:
            if not word:
                name, entry = self.names[index], self.words[index]
                raise ValueError(f"the class {name!r} has an empty word in {entry!r}")
        return self

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
        import torch

        index = torch.tensor([index for index, _ in self.class_words], device=text.device)
        words = tuple(word for _, word in self.class_words)
        return Queries(text, class_index=index, background=self.background, words=words)


def embed_words(
    vocabulary: Vocabulary,
    prompts: Prompts,
    embed: Callable[[Sequence[str]], Float[Tensor, "p e"]],
) -> Float[Tensor, "w e"]:
    """One embedding per word: the mean over the filled templates, normalised again.

    ``embed`` gives unit-length embeddings of p prompts.
    """
    import torch.nn.functional as F
    from einops import rearrange

    templates = prompts.templates
    filled = [form.format(word) for _, word in vocabulary.class_words for form in templates]
    text = rearrange(embed(filled), "(w t) e -> w t e", t=len(templates))
    return F.normalize(text.mean(dim=1), dim=-1)
