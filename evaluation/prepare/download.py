"""Resumable, checked downloads.

Not pooch: it downloads into a temporary file that it deletes when the connection breaks, so that
an archive of several GB begins again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx

TIMEOUT_SECONDS = 20.0

OnProgress = Callable[[int, int | None], None]
"""Called with the bytes that are there and with all the bytes, None if that is not known."""


def download(
    url: str, path: Path, *, digest: str = "", on_progress: OnProgress = lambda *_: None
) -> None:
    """Fetch ``url`` into ``path`` over http(s), going on from ``path.part`` if that is there.

    digest: ``md5:...`` or ``sha1:...``; empty if it is not known.
    Raises ConnectionError if the server cannot be reached, refuses or stops early, which leaves
    the part for the next run, and ValueError if the whole file has another digest, which deletes
    it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        while not _fetch(url, part, on_progress):
            part.unlink()
    except httpx.HTTPError as error:
        raise ConnectionError(
            f"{url} cannot be downloaded: {error or type(error).__name__}"
        ) from error
    kind, _, expected = digest.partition(":")
    found = _digest(part, kind) if digest else ""
    if found != expected:
        part.unlink()  # going on from it could never help
        raise ValueError(f"{path.name} has the {kind} {found}, expected {expected}; it was deleted")
    part.replace(path)


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()


def _fetch(url: str, part: Path, on_progress: OnProgress) -> bool:
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
        _append(answer, part, have, on_progress)
    return True


def _append(answer: httpx.Response, part: Path, have: int, on_progress: OnProgress) -> None:
    """Write the body to the end of the part, which has ``have`` bytes, or to a new one for 0."""
    length = answer.headers.get("Content-Length")
    total = have + int(length) if length else None
    with part.open("ab" if have else "wb") as stream:
        for chunk in answer.iter_raw():  # as it comes: a size would hold back the last piece
            have += stream.write(chunk)
            on_progress(have, total)
    if total is not None and have != total:
        raise ConnectionError(
            f"{answer.url} stopped after {have} of {total} bytes; the same command goes on there"
        )
