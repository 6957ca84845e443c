"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

PART = re.compile(r"\.gem-\d+-[0-9a-f]{16}\.part")
STALE = 3600.0  # seconds after which what a killed process left half written is removed
NO_FOLDER_SYNC = {errno.EACCES, errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOTSUP}


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let ``write`` fill a hidden file beside ``path``, then rename it; on failure remove it.

    When it returns, the file survives a power loss. Raises OSError, which says which file cannot
    be written and why, and what ``write`` raises.
    """
    with _naming(path):
        if path.exists() and not path.is_file():  # a rename would put a file in a device's place
            raise OSError(f"cannot write {path}: it is not a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidy_once(path.parent)
        part = path.with_name(f".gem-{os.getpid()}-{secrets.token_hex(8)}.part")
        try:
            with part.open("xb") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell
                part.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Write what is already in memory, whole or not at all."""
    write_whole(path, lambda stream: stream.write(content))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: object) -> None:
    """Write plain data as JSON, whole or not at all. Raises ValueError for nan and infinity."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def prepare_folder(folder: Path, *, key: str = "output") -> None:
    """Make a folder for results. Raises PermissionError if nothing can be written there.

    key: what sets the folder on the command line.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise PermissionError(f"{key}={folder}: cannot write there: {error.strerror}") from error
    tidy(folder)


def tidy(folder: Path) -> None:
    """Remove what processes that were killed long ago left half written in a folder."""
    for part in folder.glob(".gem-*.part"):
        with suppress(OSError):  # its process may just have renamed it
            if PART.fullmatch(part.name) and time.time() - part.stat().st_mtime > STALE:
                part.unlink()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let an error of the system say which file could not be written: its own has no name.

    What ``write`` raises about a file that it reads stays as it is.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or not _is_about(error, path):
            raise
        raise OSError(f"cannot write {path}: {error.strerror}") from error


def _is_about(error: OSError, path: Path) -> bool:
    named = Path(str(error.filename or path))
    return path.is_relative_to(named) or PART.fullmatch(named.name) is not None


@cache
def _tidy_once(folder: Path) -> None:
    """`tidy`, once in a process: a folder may get thousands of files."""
    tidy(folder)


def _sync_folder(folder: Path) -> None:
    """Keep a rename through a power loss, where the system can open and sync folders."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
