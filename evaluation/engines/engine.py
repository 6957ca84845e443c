"""The seam between passes over data and who does them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from evaluation.measure.work import Result, Work
    from evaluation.setting import Setting


FAILURES = (ValueError, OSError, RuntimeError)
"""What a setting, its data or the machines can do wrong; anything else is a mistake of ours."""


@dataclass(frozen=True)
class Step:
    """What has just happened to a piece of work: the first one says that it begins.

    images: so many more are counted. ended: everything is counted, and `Work.results` can be asked.
    error: nothing more of it will be counted, by a fault of the user, the data or the machines.
    """

    work: Work
    images: int = 0
    ended: bool = False
    error: Exception | None = None


class Session(Protocol):
    """An engine at work: it has what it needs until the session is closed."""

    def add(self, work: Work, *, first: bool = False) -> None:
        """Put a piece of work behind all that waits, or before it."""

    def steps(self) -> Iterator[Step]:
        """Do what was added, until nothing is left. Work may be added between two steps."""

    def try_first(self, setting: Setting) -> None:
        """Count the first sample of a setting alone, and forget it. Raises what it raises."""


@runtime_checkable
class Engine(Protocol):
    """Options of who counts. Building one starts nothing."""

    def open(self) -> AbstractContextManager[Session]:
        """Start what is needed. Raises ValueError, in a sentence, for what is not there."""


def evaluate_with(engine: Engine, work: Work, advance: Callable[[int], None]) -> Sequence[Result]:
    """Do one piece of work; ``advance`` gets the images of each step. Raises its error."""
    with engine.open() as session:
        session.add(work)
        for step in session.steps():
            if step.error:
                raise step.error
            advance(step.images)
    return work.results()
