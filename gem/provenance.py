"""Where the numbers of a model come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """The model behind a number; written into every record.

    ``source`` is a tag, a file name or "random, seed N"; ``sha256`` the hash of the weight file,
    None for random weights.
    ``config`` is the hash of a folder's files that say what the model is, None without a folder.
    ``companion`` is that of a second model that the numbers depend on, None if there is none.
    """

    model: str
    source: str
    sha256: str | None
    config: str | None = None
    companion: Provenance | None = None

    @property
    def random(self) -> bool:
        """Whether the weights of either model mean nothing: no score of them does then."""
        return self.sha256 is None or (self.companion is not None and self.companion.random)
