"""What tells the records of a frame from each other: the options that differ, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluation.records.flatten import Scalar, varied_names
from evaluation.records.query import is_empty
from evaluation.setting.identity import INCIDENTAL

if TYPE_CHECKING:
    import pandas as pd

ABOUT = (
    "title", "published", "options", "images", "images_per_second", "device", "created", "commit",
    "dirty", "other_code", "key", "notes", "file",
)  # fmt: skip
"""Columns of a frame of records that decide no number, beside those of scores and places."""
PLAIN = ("dataset", "method", "model", "protocol", "weights")  # whose values speak for themselves
LINE = 18  # letters of a line of a label

Head = tuple[Scalar, ...]
Line = dict[str, Scalar]


def labels_of(frame: pd.DataFrame) -> dict[str, str]:
    """What tells each record of a frame from the others, by its key, a line for each option.

    In the order of the values. Records that differ in nothing that decides have their key too.
    """
    lines = lines_of(frame)
    names = needed(lines) or ["method"]
    heads = [tuple(line[name] for name in names) for line in lines]
    found = {}
    for head in in_order(heads) if heads else ():
        keys = [key for key, own in zip(frame["key"], heads, strict=True) if own == head]
        for key in keys:
            parts = [_said(name, value) for name, value in zip(names, head, strict=True)]
            found[str(key)] = "\n".join([*parts, *([str(key)] if len(keys) > 1 else [])])
    return found


def needed(lines: Sequence[Line]) -> list[str]:
    """The options that tell the records apart; what others determine is left out."""
    kept: list[str] = []
    for name in varied_names(lines):
        found: dict[Head, set[Scalar]] = {}
        for line in lines:
            found.setdefault(tuple(line.get(one) for one in kept), set()).add(line.get(name))
        if any(len(values) > 1 for values in found.values()):
            kept.append(name)
    return kept


def lines_of(frame: pd.DataFrame) -> list[Line]:
    """What decides the numbers, a line for each record; None where one has no such option."""
    left_out = {*ABOUT, *frame.attrs["scores"]}
    names = [
        name
        for name in map(str, frame)
        if name not in left_out and name.rpartition(".")[2] not in INCIDENTAL - {"weights"}
    ]
    return [
        {name: _plain(one) for name, one in line.items()}
        for line in frame[names].to_dict("records")
    ]


def in_order(found: Sequence[Head]) -> list[Head]:
    """Each once; numbers ascend, texts stay in the order of the records, none comes first."""
    values = list(dict.fromkeys(found))
    places = {value: place for place, value in enumerate(values)}

    def order(value: Head) -> list[tuple[int, float]]:
        return [
            (0, 0.0) if one is None else (1, float(one)) if _is_number(one) else (2, first[one])
            for one, first in zip(value, firsts, strict=True)
        ]

    firsts = [
        {value[part]: places[value] for value in reversed(values)} for part in range(len(values[0]))
    ]
    return sorted(values, key=order)


def _said(name: str, value: Scalar) -> str:
    """``iters=3``; a part by its name alone; of a long option the value in a line of its own."""
    if name in PLAIN:
        return str(value)
    short = name.rpartition(".")[2]
    between = "\n= " if len(f"{short}={value}") > LINE else "="
    return f"{short}{between}{value}"


def _plain(value: Scalar) -> Scalar:
    """The value of a cell: a column with empty cells has whole numbers as 1.0."""
    if is_empty(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
