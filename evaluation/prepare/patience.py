"""How long a server is waited for: the least rate, and how often a broken connection is retried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Patience:
    """When a download is given up.

    window_seconds, least_bytes: a server that sends less than so much in a window is given up,
        whatever it does meanwhile: look up a name, redirect, send headers byte by byte.
    silent_seconds: so long without a single byte, a connection counts as broken.
    tries, pause_seconds: how often in one call a broken connection is tried, and the pause before
        the second try, which doubles from try to try.
    """

    window_seconds: float = 60.0
    least_bytes: int = 64 << 10
    silent_seconds: float = 20.0
    tries: int = 5
    pause_seconds: float = 1.0


class Meter:
    """Counts the bytes that arrive, and lets a thread write no longer than it is wanted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._arrived = 0
        self._stopped = False

    @contextmanager
    def writing(self, size: int = 0) -> Iterator[None]:
        """Around every change of a file. Raises InterruptedError if nobody waits any more."""
        with self._lock:
            if self._stopped:
                raise InterruptedError("the download was given up")
            yield
            self._arrived += size

    def take(self) -> int:
        """The bytes since the last call."""
        with self._lock:
            arrived, self._arrived = self._arrived, 0
            return arrived

    def stop(self) -> None:
        """Nothing is written from now on."""
        with self._lock:
            self._stopped = True


def watched(work: Callable[[Meter], Result], patience: Patience, *, name: str) -> Result:
    """What ``work`` returns or raises; ConnectionError if it is slower than the least rate.

    It runs in a thread, since neither a lookup of a name nor headers that come byte by byte can
    be limited otherwise. A thread that is given up writes nothing more, and ends with the process.
    """
    meter, outcome = Meter(), Future[Result]()
    Thread(target=_fulfil, args=(outcome, work, meter), daemon=True).start()
    try:
        while not wait([outcome], timeout=patience.window_seconds).done:
            arrived = meter.take()
            if arrived < patience.least_bytes:
                raise ConnectionError(
                    f"{name} is given up: {arrived} bytes came in {patience.window_seconds:g} s, "
                    f"expected {patience.least_bytes} or more; the same command goes on there"
                )
    finally:
        meter.stop()
    return outcome.result()


def _fulfil(outcome: Future[Result], work: Callable[[Meter], Result], meter: Meter) -> None:
    try:
        outcome.set_result(work(meter))
    except BaseException as error:  # noqa: BLE001  # it is raised again in the thread that waits
        outcome.set_exception(error)
