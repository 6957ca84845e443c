"""Which blocks of a tower are read: counted before anything is loaded."""

from __future__ import annotations


def check_depth(blocks: int, num_blocks: int) -> None:
    """Raise ValueError if a tower of ``num_blocks`` has no such number of last blocks."""
    if not 1 <= blocks <= num_blocks:
        raise ValueError(f"blocks={blocks}: the tower has {num_blocks} blocks")


def reached(number: int, depth: int, key: str = "block") -> int:
    """How many of the last blocks of a tower of ``depth`` reach back to the one of this number.

    Blocks are counted from 1. Raises ValueError, with ``key``, if the tower has no such block.
    """
    if not 1 <= number <= depth:
        raise ValueError(f"{key}={number}: the tower has {depth} blocks")
    return depth - number + 1
