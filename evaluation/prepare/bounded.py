"""A stream that does not give more than its archive may unpack to."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import IO

MOST_TIMES, MOST_ANYWAY = 200, 64 << 20
"""An archive may unpack to so many times its size, or to so many bytes if that is less.

The annotations of data sets compress well, but no published one to less than a hundredth."""
MOST_AT_ONCE = 16 << 20
"""No header of a tar is longer, and nothing else is read in larger pieces."""


def limit_of(path: Path) -> int:
    """To how many bytes an archive may unpack; more is taken for an archive bomb."""
    return max(MOST_TIMES * path.stat().st_size, MOST_ANYWAY)


class Bounded:
    """What tarfile reads from: up to a limit, in pieces, and only forward until it was read whole.

    Sizes in headers are numbers that anybody can write: negative ones would lead tarfile back to
    a header that it has read, for ever.
    """

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream, self._limit = stream, limit
        self._furthest = 0
        self.whole = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises ReadError for too many."""
        if not 0 <= size <= MOST_AT_ONCE:
            raise tarfile.ReadError(f"a header of {size} bytes")
        data = self._stream.read(size)
        self._furthest = max(self._furthest, self._stream.tell())
        self._check(self._furthest)
        return data

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Go there. Raises ReadError for a place beyond the limit, or one that was passed."""
        self._check(position)
        if position < self._furthest - 1 and not self.whole:
            raise tarfile.ReadError("a header leads back")
        return self._stream.seek(position, whence)

    def tell(self) -> int:
        """The place in the stream."""
        return self._stream.tell()

    def _check(self, position: int) -> None:
        if position > self._limit:
            raise tarfile.ReadError(
                f"it would unpack to more than {self._limit >> 20} MiB, {MOST_TIMES} times its size"
            )
