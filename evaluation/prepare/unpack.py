"""Unpacking archives: no member leaves the folder, none is a link or a device.

The checks are the same for zip and tar. tarfile's own ``filter="data"`` refuses less: it writes
members of absolute paths into the folder and accepts links inside of it, and it can be said of no
zip.
"""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from evaluation.whole_files import write_whole

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class Member:
    """A file of an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def is_archive(path: Path) -> bool:
    """Whether the name says that it is one of the archives that can be unpacked."""
    return path.name.endswith(ARCHIVES)


def unpack(
    path: Path,
    folder: Path,
    *,
    members: Sequence[str] = (),
    advance: Callable[[int], None] = lambda _: None,
) -> int:
    """Unpack the files whose names begin with one of ``members``, all if there are none.

    Files that are there in the right size are left alone. Returns how many were written. Raises
    ValueError, before anything is written, if a member is not safe, or if the archive is broken,
    and OSError if the disk is too small.
    """
    try:
        with _opened(path) as archive:
            chosen = [
                member
                for member in _members(archive, path.name)
                if not members or member.name.startswith(tuple(members))
            ]
            missing = [member for member in chosen if not _is_there(member, folder)]
            _check_space(missing, folder, path.name)
            for member in missing:
                _write(member, folder / member.name)
                advance(1)
            return len(missing)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise ValueError(f"{path.name} cannot be unpacked: {error}") from error


def _opened(path: Path) -> zipfile.ZipFile | tarfile.TarFile:
    return zipfile.ZipFile(path) if path.suffix == ".zip" else tarfile.open(path)


def _members(archive: zipfile.ZipFile | tarfile.TarFile, name: str) -> Iterator[Member]:
    """The files, in the order of the archive. Raises ValueError at the first unsafe member."""
    if isinstance(archive, zipfile.ZipFile):
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            regular = info.is_dir() or kind in {0, stat.S_IFREG, stat.S_IFDIR}
            _check_member(info.filename, regular=regular, archive=name)
            if not info.is_dir():
                yield Member(info.filename, info.file_size, partial(archive.open, info))
        return
    for item in archive:
        _check_member(item.name, regular=item.isreg() or item.isdir(), archive=name)
        if item.isreg():
            yield Member(item.name, item.size, partial(_tar_stream, archive, item))


def _tar_stream(archive: tarfile.TarFile, item: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(item)
    if stream is None:
        raise tarfile.ReadError(f"{item.name} has no content")
    return stream


def _check_member(name: str, *, regular: bool, archive: str) -> None:
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or any(sign in name for sign in "\\:\0"):
        raise ValueError(f"{archive} is not unpacked: its member {name!r} would leave the folder")
    if not regular:
        raise ValueError(f"{archive} is not unpacked: its member {name!r} is a link or a device")


def _is_there(member: Member, folder: Path) -> bool:
    path = folder / member.name
    return path.is_file() and path.stat().st_size == member.size


def _check_space(missing: Sequence[Member], folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    needed, free = sum(member.size for member in missing), shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(f"{name} needs {needed >> 20} MiB in {folder}, which has {free >> 20} MiB")


def _write(member: Member, path: Path) -> None:
    """Raises EOFError, and leaves no file, if the archive has fewer bytes than it says."""

    def copy(target: BinaryIO) -> None:
        with member.open() as stream:
            shutil.copyfileobj(stream, target)
        if target.tell() != member.size:
            raise EOFError(f"{member.name} is cut short")

    write_whole(path, copy)
