"""Where the numbers of a model come from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace


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


def with_another(own: Provenance, other: Provenance) -> Provenance:
    """The same model with another beside it: its companion, or one with the companion it has.

    Of two companions names are joined, and hashes are hashed. Weights of which some are random
    have no hash.
    """
    held = own.companion
    if held is None:
        return replace(own, companion=other)
    weights, configs = [held.sha256, other.sha256], [held.config, other.config]
    joined = Provenance(
        model=f"{held.model} and {other.model}",
        source=f"{held.source} and {other.source}",
        sha256=None if None in weights else _joined(weights),
        config=_joined(configs)[:12] if any(configs) else None,
    )
    return replace(own, companion=joined)


def _joined(hashes: Sequence[str | None]) -> str:
    return hashlib.sha256(" ".join(str(one) for one in hashes).encode()).hexdigest()
