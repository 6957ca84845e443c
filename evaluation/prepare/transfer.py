"""One request: what is missing of a file, written behind what is there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from evaluation.prepare.answer import Body, read_answer
from evaluation.prepare.part import Part, Version
from evaluation.prepare.patience import Meter

OnProgress = Callable[[int, int | None], None]
"""Called with the bytes that are there and with all the bytes, None if that is not known."""
Note = Callable[[str], None]
"""Told a sentence about what was found and what is done about it."""


class BrokenError(ConnectionError):
    """The connection ended before the file did."""


@dataclass(frozen=True)
class Transfer:
    """How a part is brought to its end.

    checked: whether a digest will tell if the bytes are those of one file; without it only what
    `If-Range` vouches for is continued.
    """

    url: str
    part: Part
    checked: bool
    silent_seconds: float
    report: OnProgress
    note: Note

    def __call__(self, meter: Meter) -> None:
        """Request once, and write what comes.

        Raises BrokenError if less comes than was promised, OSError if it cannot be written, and
        what `read_answer` and httpx raise.
        """
        version = self.part.version(self.url)
        validator = version.validator if version else ""
        start = self.part.size if self.checked or validator else 0
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers |= {"Range": f"bytes={start}-"} | ({"If-Range": validator} if validator else {})
        with httpx.stream(
            "GET", self.url, headers=headers, follow_redirects=True, timeout=self.silent_seconds
        ) as answer:
            body = read_answer(answer, version, start, url=self.url)
            self._check_end(answer, body)
            self._check_space(body)
            if body.start == 0:
                self._begin(body.version, meter)
            if body.start != body.end:
                self._append(answer, body, meter)
        if not body.last:
            raise BrokenError(f"{self.url} sent the bytes up to {body.end} of {body.version.total}")

    def _begin(self, version: Version, meter: Meter) -> None:
        if self.part.size:
            self.note(
                f"{self.part.path.name} is begun again: the server does not say that its file is "
                "still the one of this part"
            )
        with meter.writing():
            self.part.begin(version)

    def _check_end(self, answer: httpx.Response, body: Body) -> None:
        """Raise ConnectionError if nothing could tell whether the file is whole."""
        chunked = answer.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if body.end is None and not chunked and not self.checked:
            raise ConnectionError(
                f"{self.url} cannot be downloaded: the server does not say its length, and no hash "
                "is known, so that nothing would tell whether it is whole"
            )

    def _check_space(self, body: Body) -> None:
        folder = self.part.path.parent
        needed = (body.end or 0) - body.start
        free = shutil.disk_usage(folder).free + self.part.size - body.start
        if needed > free:
            raise OSError(
                f"{self.part.target.name} needs {needed >> 20} MiB more in {folder}, which has "
                f"{free >> 20} MiB"
            )

    def _append(self, answer: httpx.Response, body: Body, meter: Meter) -> None:
        """Write the body behind the bytes before it. Raises BrokenError if it is shorter."""
        have, total = body.start, body.version.total
        try:
            for chunk in answer.iter_raw():  # as it comes: a size would hold back the last piece
                if body.end is not None and have + len(chunk) > body.end:
                    raise ConnectionError(
                        f"{self.url} sends more than the {body.end} bytes it says"
                    )
                with meter.writing(len(chunk)):
                    self._write(chunk)
                have += len(chunk)
                self.report(have, total)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise BrokenError(
                f"{self.url} stopped after {_count(have, total)}: {reason}"
            ) from error
        if body.end is not None and have != body.end:
            raise BrokenError(f"{self.url} stopped after {_count(have, total)}")

    def _write(self, chunk: bytes) -> None:
        """Add to the end, at once: after a kill or on a full disk all that is there counts."""
        try:
            with self.part.path.open("ab") as stream:
                stream.write(chunk)
        except OSError as error:
            raise OSError(
                f"{self.part.path} cannot be written: {error.strerror}; what is there is kept, "
                "and the same command goes on"
            ) from error


def _count(have: int, total: int | None) -> str:
    return f"{have} bytes" if total is None else f"{have} of {total} bytes"
