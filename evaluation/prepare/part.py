"""A download that is not whole: the bytes so far, and of which version of the file they are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from evaluation.whole_files import write_text

try:
    import fcntl
except ImportError:  # not on Windows, where two runs at once are not kept apart
    fcntl = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Version:
    """Which file the bytes are of.

    validator: its strong ETag, else its Last-Modified, as `If-Range` wants it; empty if the
    server gives neither. total: its length, None if the server does not say it.
    """

    url: str
    validator: str
    total: int | None


VERSION = TypeAdapter(Version)


class Part:
    """``path.part`` beside the file that it shall become, and ``path.part.json``, its version."""

    def __init__(self, path: Path) -> None:
        self.target = path
        self.path = path.with_name(path.name + ".part")
        self._note = path.with_name(path.name + ".part.json")

    @property
    def size(self) -> int:
        """How many bytes are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def version(self, url: str) -> Version | None:
        """Of which version the bytes are; None if that is not known or it is another address."""
        try:
            found = VERSION.validate_json(self._note.read_bytes(), strict=True)
        except (OSError, ValidationError):
            return None
        return found if found.url == url else None

    def begin(self, version: Version) -> None:
        """Forget the bytes, and note the version of those that come."""
        # In this order: killed in between, no bytes are taken for ones of the new version.
        os.truncate(self.path, 0)
        write_text(self._note, json.dumps(asdict(version)))

    def discard(self) -> None:
        """Remove all."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def install(self) -> None:
        """Give the whole file its name."""
        with self.path.open("rb") as stream:
            os.fsync(stream.fileno())
        self.path.replace(self.target)
        self._note.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes away from the part. Raises BlockingIOError if one has it.

        An empty part is removed at the end.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as stream:
            self._lock(stream)
            try:
                yield
            finally:
                if not self.size:
                    self.discard()

    def _lock(self, stream: BinaryIO) -> None:
        taken = f"{self.path} is in use: another process downloads {self.target.name}"
        if fcntl is not None:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BlockingIOError(taken) from error
            except OSError:  # a file system without locks
                return
        # The other process may have installed what was opened here: then it is no part any more.
        if not self.path.exists() or not os.path.samestat(
            os.fstat(stream.fileno()), self.path.stat()
        ):
            raise BlockingIOError(taken)
