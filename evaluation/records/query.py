"""A folder of records as a frame: filters, order, a table for the terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from operator import ge, gt, le, lt
from pathlib import Path

import pandas as pd
from rich.table import Table

from evaluation.console import HEADINGS
from evaluation.records.flatten import row
from evaluation.records.record import read_record

ORDERS = {"<": lt, "<=": le, ">": gt, ">=": ge}
FILTER = re.compile(r"([\w.]+)\s*(<=|>=|!=|<|>|=)\s*(.*)", re.DOTALL)
COLUMNS = ("dataset", "method", "options", "backbone", "weights", "protocol", "images")
ALWAYS = ("method", "options")


def read_folder(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """The records of a folder, and the names of the files that are none.

    A column per name, score and option; empty where a record has no such thing. Of two files
    with the same key (a copy under another name) the newer record counts. Raises
    FileNotFoundError if there is no folder, ValueError if there is no record in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    rows, others = [], []
    files = (path for path in folder.iterdir() if path.is_file())  # `alone` is a folder of speeds
    for path in sorted(path for path in files if not path.name.startswith(".")):
        try:
            rows.append(row(read_record(path)) | {"file": path.name})
        except (ValueError, OSError, AttributeError, KeyError, TypeError):
            others.append(path.name)
    if not rows:
        raise ValueError(f"{folder}: no records there")
    frame = pd.DataFrame(rows).sort_values("created", kind="stable")
    return frame.drop_duplicates("key", keep="last").reset_index(drop=True), others


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
    raise ValueError(f"{name}: no such column; columns are {', '.join(frame)}")


def select(frame: pd.DataFrame, words: Sequence[str]) -> pd.DataFrame:
    """The rows that all filters keep; a row without the value is kept by none but ``!=``."""
    for word in words:
        found = FILTER.fullmatch(word)
        if not found:
            raise ValueError(f"{word}: expected a filter such as dataset=voc or 'images>100'")
        name, sign, wanted = found.groups()
        values = frame[column(frame, name)]
        if sign in ORDERS:
            try:
                limit = float(wanted)
            except ValueError:
                raise ValueError(f"{word}: {sign} compares with a number") from None
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


def table(frame: pd.DataFrame) -> Table:
    """Names, headline scores in percent, and the key; what all rows share is in the title."""
    shared = [name for name in COLUMNS if name not in ALWAYS and len(set(frame[name])) == 1]
    said = [f"{name} {frame[name].iloc[0]}" for name in shared]
    title = ", ".join([f"{len(frame)} record{'s' * (len(frame) != 1)} (%)", *said])
    shown = Table(title=title, title_justify="left")
    scores = [name for name in HEADINGS if name in frame and frame[name].notna().any()]
    columns = [name for name in COLUMNS if name not in shared]
    for name in columns:
        shown.add_column(name, min_width=len(name), overflow="fold")
    for name in scores:
        shown.add_column(HEADINGS[name], justify="right", no_wrap=True)
    shown.add_column("key", no_wrap=True)
    for one in frame.to_dict("records"):
        names = ["-" if _empty(one[name]) else str(one[name]) for name in columns]
        values = ["-" if _empty(one[name]) else f"{one[name]:.1f}" for name in scores]
        shown.add_row(*names, *values, one["key"])
    return shown


def _matches(value: object, wanted: str) -> bool:
    """Whether a value is one of the wanted: the same number, or the pattern fits its text."""
    return any(_same(value, one.strip()) for one in wanted.split(","))


def _same(value: object, wanted: str) -> bool:
    if _empty(value):
        return wanted.lower() in {"", "null", "none"}
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value) == float(wanted)
        except ValueError:
            return False
    return fnmatchcase(str(value).lower(), wanted.lower())


def _empty(value: object) -> bool:
    return value is None or value != value  # noqa: PLR0124 pandas' nan
