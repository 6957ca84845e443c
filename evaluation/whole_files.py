"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let ``write`` fill a hidden file beside ``path``, then rename it; on failure remove it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    write_whole(path, lambda stream: stream.write(text.encode()))


def write_json(path: Path, content: object) -> None:
    """Write plain data as JSON, whole or not at all. Raises ValueError for nan and infinity."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def prepare_folder(folder: Path) -> None:
    """Make a folder for results. Raises PermissionError if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise PermissionError(f"output={folder}: cannot write there: {error.strerror}") from error
