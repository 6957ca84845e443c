"""A pass of a sweep that an engine has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.console import Bar, say
from evaluation.run.job import PassJob


@dataclass(eq=False)
class Underway:
    """The places of its settings in the sweep, and its bar once it has begun."""

    places: Sequence[int]
    job: PassJob
    heading: str
    bar: Bar | None = None

    def show(self, bar: Bar) -> None:
        """Say that it begins."""
        self.bar = bar
        if self.heading:
            say(self.heading)
