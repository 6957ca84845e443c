"""The files of a zip or tar archive, and whether the archive is whole.

A tar is read strictly and to its end. tarfile itself takes a damaged header, or a file that was
cut between two members, for the end of the archive, and never reads the check sum that ends a
gzip stream.
"""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Self, cast

from evaluation.prepare.bounded import Bounded, limit_of

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
GZIP = b"\x1f\x8b"
CHUNK = 1 << 20
MANY = 0xFFFF
LONGEST_END = MANY + 22 + 20 + 56
"""The end of a zip, its comment, and the two records before it that tell of many entries."""
MOST_MEMBERS = 1_000_000


@dataclass(frozen=True)
class Member:
    """An entry of an archive.

    folder: whether it is one, and has no content. trouble: why it must not be unpacked, as the
    end of a sentence; empty if nothing is known against it.
    """

    name: str
    size: int
    folder: bool
    trouble: str
    open: Callable[[], IO[bytes]]
    archive: str

    def content(self) -> Iterator[bytes]:
        """Its bytes. Raises ValueError if they are broken, or not as many as the archive says."""
        count = 0
        with reading(self.archive), self.open() as stream:
            while chunk := stream.read(CHUNK):
                count += len(chunk)
                yield chunk
            if count != self.size:
                raise EOFError(f"{self.name} is cut short")


def is_archive(path: Path) -> bool:
    """Whether the name says that it is one of the archives that can be unpacked."""
    return path.name.endswith(ARCHIVES)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Around reading an archive: whatever broken bytes raise becomes one ValueError."""
    try:
        yield
    # Hostile bytes lead zipfile, tarfile and the decompressors to nearly any exception.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"{name} cannot be unpacked: {reason}") from error


@contextmanager
def opened(path: Path) -> Iterator[list[Member]]:
    """The entries of an archive, in its order, to be read while it is open.

    A tar is then known to be whole. Of a zip the table is; the check sum of a member is compared
    when it is read. Raises ValueError if it is broken, or an archive bomb: see `limit_of`.
    """
    with path.open("rb") as file:
        if path.suffix == ".zip":
            with reading(path.name):
                archive = zipfile.ZipFile(file)
                _check_count(path, len(archive.infolist()))
                members = [_of_zip(archive, info, path.name) for info in archive.infolist()]
            yield members
            return
        with reading(path.name):
            packed = file.peek(len(GZIP)).startswith(GZIP)
            plain = cast("IO[bytes]", gzip.GzipFile(fileobj=file) if packed else file)
            stream = Bounded(plain, limit_of(path))
            if not packed and path.stat().st_size % tarfile.BLOCKSIZE:
                raise tarfile.ReadError("it is damaged: its size is no whole number of blocks")
            members = _of_tar(stream, path.name)
        yield members


def _of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    trouble = ""
    if not info.is_dir() and kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        trouble = "is a link or a device"
    elif info.flag_bits & 0x41:
        trouble = "is encrypted"
    elif info.compress_type not in METHODS:
        trouble = f"is compressed by the method {info.compress_type}, which cannot be read here"
    else:
        archive.open(info).close()  # compares the table with the header before the content
    # The name that zipfile gives ends at a NUL.
    return Member(
        info.orig_filename, info.file_size, info.is_dir(), trouble,
        partial(archive.open, info), name,
    )  # fmt: skip


def _check_count(path: Path, count: int) -> None:
    """Raise BadZipFile if the table has another number of entries than its end says.

    zipfile reads as long as there are bytes: a wrong length in one entry swallows those behind it.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_END))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    said = int.from_bytes(tail[at + 10 : at + 12], "little")
    if said == MANY:  # then the number stands in a longer record before
        at = tail.rfind(b"PK\x06\x06", 0, at)
        said = int.from_bytes(tail[at + 32 : at + 40], "little") if at >= 0 else count
    if count != said and (count % (MANY + 1) != said or count <= MANY):  # some count modulo 65536
        raise zipfile.BadZipFile(f"its table has {count} entries, and its end says {said}")


class _Strict(tarfile.TarInfo):
    """A header of a tar; a damaged or a missing one is an error, and not the end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # zeros, which end a tar
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"it is damaged or cut short: {error}") from error


def _of_tar(stream: Bounded, name: str) -> list[Member]:
    archive = tarfile.TarFile(fileobj=cast("IO[bytes]", stream), tarinfo=_Strict)
    members = list[Member]()
    for item in archive:
        if len(members) == MOST_MEMBERS:
            raise tarfile.ReadError(f"it has more than {MOST_MEMBERS} members")
        if item.size < 0:
            raise tarfile.ReadError(f"{item.name} has {item.size} bytes")
        trouble = "" if item.isreg() or item.isdir() else "is a link or a device"
        members.append(
            Member(item.name, item.size, item.isdir(), trouble, partial(_open, archive, item), name)
        )
    while chunk := stream.read(CHUNK):  # to the end: only there gzip compares its check sum
        if chunk.strip(b"\0"):
            raise tarfile.ReadError("there are data behind its end")
    stream.whole = True
    return members


def _open(archive: tarfile.TarFile, item: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(item)
    if stream is None:
        raise tarfile.ReadError(f"{item.name} has no content")
    return stream
