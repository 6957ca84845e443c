"""A folder of records as a frame: filters and order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from operator import ge, gt, le, lt
from pathlib import Path

import pandas as pd

from evaluation.console import visible
from evaluation.records.flatten import row, titles_of
from evaluation.records.record import read_records

ORDERS = {"<": lt, "<=": le, ">": gt, ">=": ge}
FILTER = re.compile(r"([\w.]+)\s*(<=|>=|!=|<|>|=)\s*(.*)", re.DOTALL)


def read_frame(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """The records of a folder, and the files that are none, each with the reason.

    A column per name, score and option; empty where a record has no such thing. The titles of the
    scores that have a column in tables are in ``frame.attrs["titles"]``, the names of all scores in
    ``frame.attrs["scores"]``. Raises FileNotFoundError
    if there is no folder, ValueError if there is no record in it.
    """
    found, others = read_records(folder)
    if not found:
        raise ValueError(f"{folder}: no records there" + "".join(f"; {one}" for one in others[:3]))
    records = [record for record, _ in found]
    scores = list(dict.fromkeys(name for record in records for name in record.scores))
    rows = [row(record, scores) | {"file": visible(path.name)} for record, path in found]
    frame = pd.DataFrame(rows)
    frame.attrs |= {"titles": titles_of(records), "scores": scores}
    return frame, others


def column(frame: pd.DataFrame, name: str) -> str:
    """The column that a name or the end of a dotted name means. Raises ValueError if none."""
    name = re.sub(r"^gem\.", "method.", name)
    if name in frame:
        return name
    ends = [one for one in frame if one.endswith(f".{name}")]
    if len(ends) == 1:
        return str(ends[0])
    if ends:
        raise ValueError(f"{name}: one of {', '.join(ends)}")
    near = dict.fromkeys(_nearest(name, list(map(str, frame))))
    hint = f"nearest {'are' if len(near) > 1 else 'is'} {', '.join(near)}; " if near else ""
    raise ValueError(f"{name}: no such column; {hint}csv=FILE writes all {frame.shape[1]}")


def _nearest(name: str, columns: Sequence[str]) -> list[str]:
    """At most three columns whose names, or whose ends after the dot, are like a name."""
    ends = {one.rpartition(".")[2]: one for one in reversed(columns)} | {c: c for c in columns}
    return [ends[one] for one in get_close_matches(name, ends, n=3)]


def select(frame: pd.DataFrame, filters: Sequence[str]) -> pd.DataFrame:
    """The rows that all filters keep; a row without the value is kept by none but ``!=``."""
    for text in filters:
        found = FILTER.fullmatch(text)
        if not found:
            raise ValueError(f"{text}: expected a filter such as dataset=voc or 'images>100'")
        name, sign, wanted = found.groups()
        values = frame[column(frame, name)]
        if sign in ORDERS:
            try:
                limit = float(wanted)
            except ValueError:
                raise ValueError(f"{text}: {sign} compares with a number") from None
            kept = ORDERS[sign](pd.to_numeric(values, errors="coerce"), limit)
        else:
            equal = values.map(lambda value, wanted=wanted: _matches(value, wanted))
            kept = equal if sign == "=" else ~equal
        frame = frame[kept.astype(bool)]
    return frame


def sort(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """Rows in the order of a column; ``-name`` puts the largest first; empty ones come last."""
    name = column(frame, by.removeprefix("-"))
    values = frame[name]
    key = values if pd.api.types.is_numeric_dtype(values) else values.astype(str)
    return frame.loc[key.sort_values(ascending=not by.startswith("-"), kind="stable").index]


def _matches(value: object, wanted: str) -> bool:
    """Whether a value is one of the wanted: the same number, or the pattern fits its text."""
    return any(_same(value, one.strip()) for one in wanted.split(","))


def _same(value: object, wanted: str) -> bool:
    if is_empty(value):
        return wanted.lower() in {"", "null", "none"}
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value) == float(wanted)
        except ValueError:
            return False
    return fnmatchcase(str(value).lower(), wanted.lower())


def is_empty(value: object) -> bool:
    """Whether a cell holds nothing."""
    return value is None or value != value  # noqa: PLR0124 pandas' nan
