"""How labels are stored in mask files, and back: the numbers in a file are ids, not labels.

A label is what the evaluation counts: 0, 1, ... in the order of a card's names, 255 where void. An
id is what a file holds: ADE20K stores label 0 as 1, Cityscapes as 7. An id that is neither a
label's nor void is an error and never a guess.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, model_validator

from gem.options import Count, options

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Integer

VOID = 255
LARGEST = 65535


def _expanded(items: Any) -> Any:
    """``[3, "5-7", [9, "11-12"]]`` as ``[3, 5, 6, 7, [9, 11, 12]]``."""
    if not isinstance(items, list | tuple):
        return items
    found: list[Any] = []
    for item in items:
        if isinstance(item, str) and item.count("-") == 1:
            first, last = map(int, item.split("-"))
            found.extend(range(first, last + 1))
        else:
            found.append(_expanded(item))
    return found


Ids = Annotated[tuple[Count | tuple[Count, ...], ...], BeforeValidator(_expanded)]
"""The id of each label, or several of one label; ``"5-7"`` stands for 5, 6, 7."""
VoidIds = Annotated[tuple[Count, ...], BeforeValidator(_expanded)]


@options
class Encoding:
    """The stored id of each label, and the ids that are void. Nothing else may be stored."""

    ids: Ids
    void: VoidIds = (VOID,)

    @model_validator(mode="after")
    def _unambiguous(self) -> Encoding:
        if len(self.ids) > VOID:
            raise ValueError(f"{len(self.ids)} labels, but {VOID} stands for void")
        known = [*self._label_ids, *self.void]
        twice = sorted({stored for stored in known if known.count(stored) > 1})
        if twice or max(known) > LARGEST:
            raise ValueError(f"the id {twice[0] if twice else max(known)} is out of range or twice")
        return self

    def shifted(self, shift: int) -> Encoding:
        """The encoding of files whose ids are smaller by ``shift``; 255 is void in any case."""
        if shift == 0:
            return self
        ids = tuple(
            tuple(i - shift for i in item) if isinstance(item, tuple) else item - shift
            for item in self.ids
        )
        moved = {i - shift for i in self.void if i - shift >= 0 and i != VOID}
        return Encoding(ids=ids, void=(*sorted(moved - {VOID}), VOID))

    def decode(
        self, stored: Integer[np.ndarray, "y x"], *, name: str, hint: str = ""
    ) -> Integer[np.ndarray, "y x"]:
        """Labels for stored ids. Raises ValueError, naming the file and the id, for any other."""
        import numpy as np

        low, high = (int(stored.min()), int(stored.max())) if stored.size else (0, 0)
        inside = stored if low >= 0 and high <= LARGEST else np.clip(stored, 0, LARGEST)
        labels = self._table[inside]
        foreign = stored[(labels < 0) | (stored != inside)]
        if foreign.size:
            raise ValueError(
                f"mask {name} has the label {foreign.max()}, expected {self.expected}{hint}"
            )
        return np.asarray(labels, dtype=np.uint8)

    def knows(self, stored: int) -> bool:
        """Whether the id is a label's or void."""
        return 0 <= stored <= LARGEST and bool(self._table[stored] >= 0)

    @property
    def expected(self) -> str:
        """The ids as a person reads them: ``0 to 20 or 255 (void)``."""
        labels = _ranges(self._label_ids)
        return f"{labels} or {_ranges(list(self.void))} (void)" if self.void else labels

    @property
    def _label_ids(self) -> list[int]:
        return [i for item in self.ids for i in (item if isinstance(item, tuple) else (item,))]

    @cached_property
    def _table(self) -> Integer[np.ndarray, "65536"]:
        import numpy as np

        table = np.full(LARGEST + 1, -1, dtype=np.int16)
        for label, item in enumerate(self.ids):
            table[np.asarray(item)] = label
        table[list(self.void)] = VOID
        return table


def identity(labels: int) -> Encoding:
    """Label i is stored as i, and 255 is void."""
    return Encoding(ids=tuple(range(labels)))


def _ranges(ids: list[int]) -> str:
    """``[0, 1, 2, 5]`` as ``0 to 2, 5``."""
    runs: list[list[int]] = []
    for stored in sorted(ids):
        if runs and stored == runs[-1][-1] + 1:
            runs[-1].append(stored)
        else:
            runs.append([stored])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
