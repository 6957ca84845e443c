"""Where the numbers of a model come from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """The model behind a number; written into every record.

    ``source`` is a tag, a file name or "random, seed N"; ``sha256`` the hash of the weight file,
    None for random weights.
    ``config`` is the hash of a folder's files that say what the model is, None without a folder.
    """

    model: str
    source: str
    sha256: str | None
    config: str | None = None

    @property
    def random(self) -> bool:
        """Whether the weights mean nothing: no score of such a model does."""
        return self.sha256 is None
