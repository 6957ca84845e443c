"""Resumable, checked downloads.

Not pooch: it downloads into a temporary file that it deletes when the connection breaks, so that
an archive of several GB begins again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from time import sleep

import httpx

from evaluation.prepare.answer import ContradictionError
from evaluation.prepare.part import Part, Version
from evaluation.prepare.patience import Patience, watched
from evaluation.prepare.transfer import BrokenError, Note, OnProgress, Transfer

PATIENCE = Patience()
BEGINNINGS = {".zip": b"PK", ".gz": b"\x1f\x8b", ".tgz": b"\x1f\x8b"}
PAGES = (b"<!doctype html", b"<html")


def download(
    url: str,
    path: Path,
    *,
    digest: str = "",
    on_progress: OnProgress = lambda *_: None,
    note: Note = lambda _: None,
    patience: Patience = PATIENCE,
) -> None:
    """Fetch ``url`` into ``path`` over http(s), going on from ``path.part`` if that is there.

    A part is continued only if the server says that its file is still the same (`If-Range`), or
    if a digest will tell; else it is begun again.
    digest: ``md5:...``, ``sha1:...`` or ``sha256:...``; empty if it is not known.
    note: told when a part is begun again, and when a broken connection is tried again.
    Raises ConnectionError if the server cannot be reached, refuses, stops early or is too slow,
    and OSError if the disk is full or another process downloads the file; these leave the part for
    the next run. Raises ValueError, and deletes the part, if what came is not the file: another
    digest, a web page, no archive.
    """
    part = Part(path)
    transfer = Transfer(
        url, part, checked=bool(digest), silent_seconds=patience.silent_seconds,
        report=on_progress, note=note,
    )  # fmt: skip
    with part.locked():
        try:
            _complete(transfer, patience)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ConnectionError(
                f"{url} cannot be downloaded: {error or type(error).__name__}"
            ) from error
        if wrong := _wrong(part.path, path.name, digest):
            part.discard()  # going on from it could never help
            raise ValueError(f"{path.name} {wrong}; it was deleted")
        part.install()


def digest_of(path: Path, kind: str) -> str:
    """The hexadecimal digest of a file by ``md5``, ``sha1`` or ``sha256``."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()


def _complete(transfer: Transfer, patience: Patience) -> None:
    """Request until the part is whole, some times. Raises what the last request raised."""
    for tried in range(1, patience.tries + 1):
        try:
            watched(transfer, patience, name=transfer.url)
        except ContradictionError as error:
            problem = f"{transfer.part.path.name} is begun again: {error}"
            transfer.part.begin(Version(transfer.url, "", None))
        except BrokenError as error:
            problem = f"{error}; the same command goes on there"
        except httpx.TransportError as error:
            if tried == 1:  # later, the network that broke may not be back yet
                raise
            problem = f"{transfer.url} cannot be reached again: {error or type(error).__name__}"
        else:
            return
        if tried == patience.tries:
            raise ConnectionError(problem)
        transfer.note(f"{problem} (try {tried} of {patience.tries})")
        sleep(patience.pause_seconds * 2 ** (tried - 1))


def _wrong(path: Path, name: str, digest: str) -> str:
    """Why the bytes are not those of the file; empty if nothing is known against them."""
    with path.open("rb") as stream:
        first = stream.read(512)
    if first.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
        return "is a web page in place of the file; is there a login page before the network?"
    if digest:
        kind, _, expected = digest.partition(":")
        found = digest_of(path, kind)
        return "" if found == expected.lower() else f"has the {kind} {found}, expected {expected}"
    if not first and Path(name).suffix not in BEGINNINGS:
        return "is empty"
    beginning = BEGINNINGS.get(Path(name).suffix, b"")
    if not first.startswith(beginning):
        return f"begins with {first[:8]!r}, which is no {Path(name).suffix} archive"
    return ""
