"""What is written of each image while a pass counts: the seam between a pass and ``save=``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from evaluation.records.checked import CheckedSetting
from evaluation.records.record import Record

if TYPE_CHECKING:
    from evaluation.measure.counting import Watch


class Writer(Protocol):
    """Writes something of each image. ``kind`` is the value of ``save=`` that means it."""

    @property
    def kind(self) -> str:
        """What it writes: a pass that wrote another kind is not gone on from."""

    def watcher(self, settings: Sequence[CheckedSetting]) -> Callable[[], Watch]:
        """What makes the `Watch` in the process that counts, wherever that is.

        An image is whole on disk when it returns: the image counts as done. Raises ValueError for
        settings that nothing can be written of.
        """

    def finish(self, settings: Sequence[CheckedSetting], records: Sequence[Record]) -> None:
        """All images are written: see that they are, before the records are written."""

    def has(self, checked: CheckedSetting, record: Record) -> bool:
        """Whether all of it is there already for a record."""
