"""The one walk through an image tower that leaves a trace, whatever library built the tower."""

from collections import deque
from collections.abc import Sequence

from gem.trace import Block, Layer, PatchProjector, Resid, Trace


def walk(
    resid: Resid,
    blocks: Sequence[Block],
    keep: int,
    *,
    project: PatchProjector,
    grid: tuple[int, int],
) -> Trace:
    """The trace of the stream ``resid`` through all blocks of a tower.

    The last ``keep`` blocks are kept, the rest is dropped on the way.
    """
    kept: deque[Layer] = deque(maxlen=keep)
    for block in blocks:
        kept.append(Layer(kept[-1].out if kept else resid, block))
    return Trace(kept, project=project, grid=grid, depth=len(blocks))
