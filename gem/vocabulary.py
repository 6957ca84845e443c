"""Classes as words: what is asked of the text tower.

Shapes: w words (queries), t templates, e embedding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from gem.options import Flag, options

if TYPE_CHECKING:
    from jaxtyping import Float, Int64
    from torch import Tensor

    from gem.backbones import Backbone


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
    """What a vocabulary asks: a unit-length embedding per word, and the class it stands for.

    ``background`` says that class 0 is the background, asked in words like the others.
    """

    text: Float[Tensor, "w e"]
    owner: Int64[Tensor, " w"]
    background: bool

    @property
    def classes(self) -> int:
        """How many classes the words stand for."""
        return int(self.owner[-1]) + 1

    def by_class(self, maps: Float[Tensor, "w *yx"]) -> tuple[Float[Tensor, "n *yx"], ...]:
        """The maps of the words of each class, one after the other."""
        import torch

        sizes: list[int] = torch.bincount(self.owner).tolist()
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
        for name, words in zip(self.names, self.words, strict=True):
            if not all(word.strip() for word in words.split(";")):
                raise ValueError(f"the class {name!r} has an empty word in {words!r}")
        return self

    @property
    def queries(self) -> tuple[tuple[int, str], ...]:
        """Index of the class and the word, for every word in order."""
        return tuple(
            (index, word.strip())
            for index, words in enumerate(self.words)
            for word in words.split(";")
        )

    def embed(self, backbone: Backbone, prompts: Prompts) -> Queries:
        """Embed every word, and say which class each stands for."""
        return self.with_text(self.text(backbone, prompts))

    def text(self, backbone: Backbone, prompts: Prompts) -> Float[Tensor, "w e"]:
        """One embedding per word: the mean over the templates, normalised again."""
        import torch.nn.functional as F
        from einops import rearrange

        asked = [form.format(word) for _, word in self.queries for form in prompts.templates]
        text = rearrange(backbone.embed(asked), "(w t) e -> w t e", t=len(prompts.templates))
        return F.normalize(text.mean(dim=1), dim=-1)

    def with_text(self, text: Float[Tensor, "w e"]) -> Queries:
        """The queries whose embeddings are ``text``, as `text` gives them."""
        import torch

        owner = torch.tensor([index for index, _ in self.queries], device=text.device)
        return Queries(text, owner, self.background)
