"""Resumable, checked downloads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx

TIMEOUT_SECONDS = 20.0

Told = Callable[[int, int | None], None]
"""Is told how many bytes are there, of how many in all if that is known."""


def download(url: str, path: Path, *, digest: str = "", told: Told = lambda *_: None) -> None:
    """Fetch ``url`` into ``path`` over http(s), going on from ``path.part`` if that is there.

    digest: ``md5:...`` or ``sha1:...``; a file that does not have it is deleted.
    Raises ConnectionError if the server cannot be reached, refuses or stops early, which leaves
    the part for the next run, and ValueError if the whole file has another digest.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        while not _fetch(url, part, told):
            part.unlink()
    except httpx.HTTPError as error:
        raise ConnectionError(
            f"{url} cannot be downloaded: {error or type(error).__name__}"
        ) from error
    check_digest(part, digest, name=path.name)
    part.replace(path)


def check_digest(path: Path, digest: str, *, name: str) -> None:
    """Delete the file and raise ValueError if it has another digest; an empty one is not known."""
    if not digest:
        return
    kind, _, expected = digest.partition(":")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, kind).hexdigest()
    if found != expected:
        path.unlink()
        raise ValueError(f"{name} has the {kind} {found}, expected {expected}; it was deleted")


def _fetch(url: str, part: Path, told: Told) -> bool:
    """Append what is missing; False if the part cannot be one of this file."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with httpx.stream(
        "GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT_SECONDS
    ) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return str(answer.headers.get("Content-Range", "")).endswith(f"/{have}")
        if answer.status_code not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
            raise ConnectionError(
                f"{url} cannot be downloaded: the server says {answer.status_code}"
            )
        if answer.status_code == httpx.codes.OK:
            have = 0  # the server does not resume, or there was nothing
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            return False
        _append(answer, part, have, told)
    return True


def _append(answer: httpx.Response, part: Path, have: int, told: Told) -> None:
    length = answer.headers.get("Content-Length")
    total = have + int(length) if length else None
    with part.open("ab" if have else "wb") as stream:
        for chunk in answer.iter_raw():  # as it comes: a size would hold back the last piece
            have += stream.write(chunk)
            told(have, total)
    if total is not None and have != total:
        raise ConnectionError(
            f"{answer.url} stopped after {have} of {total} bytes; the same command goes on there"
        )
