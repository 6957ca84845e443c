"""Classes as words: what is asked of the text tower.

Shapes: c classes, t templates, e embedding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from gem.options import options

if TYPE_CHECKING:
    from jaxtyping import Float
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


@options
class Vocabulary:
    """The classes of a data set, in label order, and the word asked for each."""

    names: tuple[str, ...]
    words: tuple[str, ...]

    def embed(self, backbone: Backbone, prompts: Prompts) -> Float[Tensor, "c e"]:
        """One unit-length embedding per class: the mean over the templates, normalised again."""
        import torch.nn.functional as F
        from einops import rearrange

        asked = [form.format(word) for word in self.words for form in prompts.templates]
        text = rearrange(backbone.embed(asked), "(c t) e -> c t e", c=len(self.words))
        return F.normalize(text.mean(dim=1), dim=-1)
