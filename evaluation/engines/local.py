"""This process counts everything itself."""

from __future__ import annotations

import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from evaluation.engines.engine import FAILURES, Step
from evaluation.setting.sharing import unload_all
from gem.options import options

if TYPE_CHECKING:
    from evaluation.measure.work import Work
    from evaluation.setting import Setting


@options
class Local:
    """One pass after the other, in this process, on its GPU if there is one."""

    @contextmanager
    def open(self) -> Iterator[LocalSession]:
        """Nothing needs to be started."""
        yield LocalSession()


class LocalSession:
    """Work that waits, in its order."""

    def __init__(self) -> None:
        self._waiting: deque[Work] = deque()

    def add(self, work: Work, *, first: bool = False) -> None:
        """Put it behind what waits, or before it."""
        (self._waiting.appendleft if first else self._waiting.append)(work)

    def steps(self) -> Iterator[Step]:
        """A step for each batch; models that nothing needs any more are let go between passes."""
        while self._waiting:
            work = self._waiting.popleft()
            yield Step(work)
            try:
                yield from self._do(work)
            except FAILURES as error:
                yield Step(work, error=error)
            later = [one for other in self._waiting for one in other.settings]
            unload_all(work.settings, keep=later)

    def try_first(self, setting: Setting) -> None:
        """In this process."""
        from evaluation.measure.counting import try_first

        try_first(setting)

    def _do(self, work: Work) -> Iterator[Step]:
        """Count a pass."""
        from evaluation.measure.work import count_here

        with stopped_between_batches() as asked:
            for images in count_here(work):
                yield Step(work, images)
                if asked() and len(work.done) < work.images:
                    work.stop()
        yield Step(work, ended=True)


@contextmanager
def stopped_between_batches() -> Iterator[Callable[[], bool]]:
    """Within, a first Ctrl-C only asks to stop, so that no image is half counted; a second ends.

    Gives whether it was asked. Other threads than the main one are asked nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before, asked = signal.getsignal(signal.SIGINT), list[int]()

    def ask(number: int, _: object) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)
        sys.stderr.write("\nstopping after this batch; Ctrl-C again ends at once\n")

    signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
