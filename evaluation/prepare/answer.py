"""What a server's answer means for the bytes that are there, by RFC 9110, sections 13 to 15."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath

import httpx

from evaluation.prepare.part import Version

CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
UNSATISFIED = re.compile(r"bytes \*/([0-9]{1,18})")
STRONG_SECONDS = 60
"""So much older than the answer, a Last-Modified tells two versions apart (RFC 7232, 2.2.2)."""


@dataclass(frozen=True)
class Body:
    """The bytes that an answer brings.

    start, end: from which to before which byte of the file; end is None if the server does not say
    it. version: of which file.
    """

    start: int
    end: int | None
    version: Version

    @property
    def last(self) -> bool:
        """Whether the file is whole with these bytes."""
        return self.end == self.version.total


def read_answer(answer: httpx.Response, wanted: Version | None, start: int, *, url: str) -> Body:
    """The bytes of an answer to a request for those from ``start``.

    wanted: the version that the bytes before ``start`` are of, None if that is not known.
    Raises ContradictionError if what comes does not continue what is there, and ConnectionError if
    the server refuses, or sends something else than the file.
    """
    if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and start:
        return _nothing_more(answer, wanted, start, url=url)
    if answer.status_code not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
        asked = ", though the whole file was asked for" if answer.status_code == 416 else ""
        raise ConnectionError(
            f"{url} cannot be downloaded: the server says {answer.status_code}{asked}"
        )
    _check_kind(answer, url)
    if answer.status_code == httpx.codes.OK:
        if start and "Content-Range" in answer.headers:
            raise ContradictionError("the server says 200, and sends a part")
        length = answer.headers.get("Content-Length")
        total = int(length) if length else None
        return Body(0, total, Version(url, validator_of(answer), total))
    if not start:
        raise ConnectionError(
            f"{url} cannot be downloaded: the server says 206 and sends a part, though the whole "
            "file was asked for"
        )
    return _continued(answer, wanted, start, url=url)


class ContradictionError(ValueError):
    """The bytes that are there are not the beginning of what the server has."""


def validator_of(answer: httpx.Response) -> str:
    """What `If-Range` may name: a strong ETag, else, without any, a strong Last-Modified."""
    tag: str = answer.headers.get("ETag", "")
    if tag:
        return "" if tag.startswith("W/") else tag
    changed: str = answer.headers.get("Last-Modified", "")
    try:
        age = parsedate_to_datetime(answer.headers["Date"]) - parsedate_to_datetime(changed)
    except (KeyError, ValueError, TypeError):
        return ""
    return changed if age.total_seconds() >= STRONG_SECONDS else ""


def _nothing_more(answer: httpx.Response, wanted: Version | None, start: int, *, url: str) -> Body:
    """No byte after ``start``: the part is whole, or it is of something shorter."""
    said = answer.headers.get("Content-Range", "")
    known = {start, wanted.total if wanted and wanted.total is not None else start}
    found = UNSATISFIED.fullmatch(said)
    if found is None or {int(found[1])} != known:
        raise ContradictionError(f"the server says 416 and {said or 'no Content-Range'!r}")
    return Body(start, start, Version(url, wanted.validator if wanted else "", start))


def _continued(answer: httpx.Response, wanted: Version | None, start: int, *, url: str) -> Body:
    said = answer.headers.get("Content-Range", "")
    found = CONTENT_RANGE.fullmatch(said)
    first, last, total = map(int, found.groups()) if found else (0, 0, 0)
    if first != start or not first <= last < total:
        raise ContradictionError(f"the server sends {said or 'a part without Content-Range'!r}")
    if answer.headers.get("Content-Length") not in {None, str(last + 1 - first)}:
        raise ContradictionError(f"the server sends {said!r}, but another Content-Length")
    if wanted and wanted.total not in {None, total}:
        raise ContradictionError(f"its length was {wanted.total}, now it is {total}")
    if wanted and wanted.validator and _is_other(answer, wanted.validator):
        raise ContradictionError("it has changed on the server")
    return Body(start, last + 1, Version(url, wanted.validator if wanted else "", total))


def _is_other(answer: httpx.Response, validator: str) -> bool:
    """Whether the answer names another version; it need not name its own."""
    kind = "ETag" if validator.startswith('"') else "Last-Modified"
    return bool(answer.headers.get(kind, validator) != validator)


def _check_kind(answer: httpx.Response, url: str) -> None:
    """Raise ConnectionError for a web page in place of the file, and for compressed bytes of it."""
    name = PurePosixPath(httpx.URL(url).path).name
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in {"text/html", "application/xhtml+xml"}:
        raise ConnectionError(
            f"{url} cannot be downloaded: a web page comes in place of {name}; is there a login "
            "page before the network?"
        )
    coding = answer.headers.get("Content-Encoding", "").strip().lower()
    # Some servers call what a .gz file is by itself its encoding.
    own = name.endswith((".gz", ".tgz")) and coding in {"gzip", "x-gzip"}
    if coding not in {"", "identity"} and not own:
        raise ConnectionError(
            f"{url} cannot be downloaded: the server sends it with the Content-Encoding {coding}, "
            "though identity was asked for"
        )
