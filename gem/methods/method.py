"""What a method is."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar, Protocol

from gem.depth import check_depth
from gem.tower import Companion, TowerShape

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.trace import Trace


class Method(Protocol):
    """A function from the trace of b images to features of their p patches, row by row.

    The features lie in the space of the text embeddings (width e) and are not normalised:
    whoever compares them with text divides by their norm.

    title: the method's name as papers print it.
    published: year and month of its first version on arXiv, ``2023-12``. Tables list methods in
        this order.
    companion: another model, whose trace of the same pixels the method reads beside CLIP's, as
        `gem.trace.Trace.companion`. A method that needs one has a field of this name.
    class_token: whether the method cannot do without the class token, which SigLIP, for one, lacks.
    """

    title: ClassVar[str]
    published: ClassVar[str]
    companion: Companion | None = None
    class_token: ClassVar[bool] = False

    @property
    def num_blocks(self) -> int:
        """How many of the last blocks the method reads, for methods that count from the end."""
        return 1

    def reads(self, depth: int) -> int:
        """How many of the last blocks the trace must keep, in a tower of ``depth`` blocks.

        Raises ValueError if the tower lacks a block that the method reads.
        """
        check_depth(self.num_blocks, depth)
        return self.num_blocks

    def reads_beside(self, depth: int) -> int:  # noqa: ARG002
        """The same of the companion's trace, in a tower of ``depth`` blocks."""
        return 1

    def grid(self, trace: Trace) -> tuple[int, int]:
        """Rows and columns of the features that the method returns: the patches of CLIP."""
        return trace.grid

    @property
    def cache_group(self) -> tuple[Hashable, ...]:
        """What methods have in common that share work on a `gem.trace.Layer`; () if nothing.

        Methods run in the order of it, so that those that share work come in turn. It begins with
        a word for the kind of work, and what follows can be compared within the kind.
        """
        return ()

    def __call__(self, trace: Trace) -> Float[Tensor, "b p e"]:
        """Patch features."""


def blocks_read(method: Method, shape: TowerShape) -> int:
    """How many of the last blocks of a tower of CLIP's kind a method reads.

    Raises ValueError if the tower lacks one, or the class token that the method reads.
    """
    if method.class_token and not shape.class_token:
        raise ValueError(f"{method.title} reads the class token, and the image tower has none")
    return method.reads(shape.num_blocks)
