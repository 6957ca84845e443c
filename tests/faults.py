"""A file system on which one operation fails, or at which the process dies."""

import io
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

NAMED = ("replace", "rename", "mkdir", "unlink")
OPEN, OPEN_HANDLE = io.open, os.open


class Dead(BaseException):
    """The process was killed: nothing catches it, and no operation works any more."""


class Faults:
    """Counts the operations that change what is below a folder; the one at ``at`` fails.

    Counted are opening for writing, each write to the system, syncing, renaming, removing and
    making folders, in the order in which they are asked for. fault: what happens instead of the
    operation. A number of `errno` is raised; None ends the body like a kill, ``exit`` the process.
    A write that fails has written half of its bytes.
    """

    def __init__(self, folder, at=None, fault=None):
        self.folder, self.at, self.fault = Path(folder), at, fault
        self.done, self.dead, self.handles = [], False, {}

    def covers(self, path):
        """Whether operations on a path are counted."""
        return isinstance(path, str | os.PathLike) and Path(path).is_relative_to(self.folder)

    def count(self, name, *paths, before=lambda: None):
        """Count an operation; if it is its turn, do what is done ``before`` the fault, and fail."""
        if self.dead:
            raise Dead
        self.done.append(name)
        if len(self.done) - 1 != self.at:
            return
        before()
        if self.fault == "exit":
            os._exit(9)
        if self.fault is None:
            self.dead = True
            raise Dead
        raise OSError(self.fault, os.strerror(self.fault), *map(str, paths))

    def open_file(self, path, mode="r", *rest, **more):
        """In the place of ``open``; with an opener, that one is counted."""
        if "opener" in more or not self.covers(path) or not set(mode) & set("wax+"):
            return OPEN(path, mode, *rest, **more)
        self.count("open", path)
        raw = _File(path, mode.replace("b", ""), self)
        self.handles[raw.fileno()] = path
        stream = io.BufferedWriter(raw)
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding="utf-8")

    def open_handle(self, path, *rest, **more):
        """In the place of ``os.open``."""
        if not self.covers(path):
            return OPEN_HANDLE(path, *rest, **more)
        self.count("open", path)
        handle = OPEN_HANDLE(path, *rest, **more)
        self.handles[handle] = path
        return handle

    def sync(self, handle):
        """In the place of ``os.fsync``; the real one would only take time."""
        self.count("fsync", *([] if handle in self.handles else ["?"]))

    def wrapped(self, name):
        """One of `NAMED`, counted. A folder that is there is not made: nothing can fail."""
        real = getattr(os, name)

        def call(path, *rest, **more):
            if self.covers(path) and not (name == "mkdir" and Path(path).is_dir()):
                self.count(name, path)
            return real(path, *rest, **more)

        return call


class _File(io.FileIO):
    """A file whose writes are counted."""

    def __init__(self, path, mode, faults):
        super().__init__(path, mode)
        self.faults = faults

    def write(self, content):
        half = bytes(content)[: len(content) // 2]
        self.faults.count("write", before=lambda: io.FileIO.write(self, half))
        return super().write(content)


@contextmanager
def faulty(folder, at=None, fault=None):
    """The file system as `Faults` has it, while the body runs; a dead process ends the body."""
    faults = Faults(folder, at, fault)
    changed = {name: faults.wrapped(name) for name in NAMED}
    changed |= {"fsync": faults.sync, "open": faults.open_handle}
    with patch.multiple(os, **changed), patch.object(io, "open", faults.open_file), suppress(Dead):
        yield faults
