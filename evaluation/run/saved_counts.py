"""The content of a state file: what is counted of one setting, and under which conditions.

The first bytes are a SHA-256 of the rest, because safetensors has no checksum: a flipped bit
would be a count that nobody can tell from a right one.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from safetensors.torch import load, save
from torch import Tensor

DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True)
class SavedCounts:
    """Counts of one setting. ``done`` says of each of its samples whether it is counted."""

    conditions: str
    seconds: float
    done: Tensor
    counts: Mapping[str, Tensor]


def pack(saved: SavedCounts) -> bytes:
    """The bytes of a state file."""
    about = json.dumps({"conditions": saved.conditions, "seconds": saved.seconds}).encode()
    parts = {f"counts.{name}": part.cpu().contiguous() for name, part in saved.counts.items()}
    about_bytes = torch.frombuffer(bytearray(about), dtype=torch.uint8)
    content = save({"about": about_bytes, "done": saved.done, **parts})
    return hashlib.sha256(content).digest() + content


def unpack(packed: bytes) -> SavedCounts:
    """What `pack` was given. Raises ValueError for other bytes."""
    content = packed[DIGEST:]
    if hashlib.sha256(content).digest() != packed[:DIGEST]:
        raise ValueError("are damaged")
    try:
        parts = load(content)
        about = json.loads(parts.pop("about").numpy().tobytes())
        conditions, seconds = str(about["conditions"]), float(about["seconds"])
        done = parts.pop("done")
    except Exception as error:  # of bytes that somebody made, a parser may raise anything
        raise ValueError("lack a field") from error
    counts = {name.removeprefix("counts."): part for name, part in parts.items()}
    return SavedCounts(conditions, seconds, done, counts)


def check(saved: SavedCounts, *, samples: int, fresh: Mapping[str, Tensor]) -> None:
    """Raise ValueError for counts that cannot be of a setting.

    fresh: the counts of one that has not begun. Where those are no rows, there may be any number.
    """
    if not (math.isfinite(saved.seconds) and saved.seconds >= 0):
        raise ValueError(f"took {saved.seconds} seconds")
    if saved.done.dtype != torch.bool or saved.done.shape != (samples,):
        raise ValueError("are of another list of images")
    if saved.counts.keys() != fresh.keys():
        raise ValueError("are of another metric")
    for name, part in saved.counts.items():
        if not _is_alike(part, fresh[name]):
            raise ValueError(f"have a {name} of another shape or type")
        if (part < 0).any():
            raise ValueError(f"have a {name} with negative counts")


def _is_alike(part: Tensor, fresh: Tensor) -> bool:
    """Whether a count has the type and shape of a fresh one."""
    rows = part.shape[:1] if fresh.shape[:1] == (0,) else fresh.shape[:1]
    return part.dtype == fresh.dtype and part.shape == rows + fresh.shape[1:]
