"""One's own records as a table: scores over the values of a few options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluation.records.differing import Head, Line, in_order, lines_of, needed
from evaluation.records.flatten import Scalar
from evaluation.records.query import column, is_empty

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 3  # options and values in a sentence


@dataclass(frozen=True)
class Pivot:
    """Scores in percent: a row for each value of some options, a column for each of another.

    rows: the names of their options. columns: the name of the other; None where the columns are
    scores. heads, tops: the values of the rows and columns (or the titles of scores). cells: by
    row and column, None where there is no record. value: the title of the score; of several
    scores none.
    """

    rows: tuple[str, ...]
    columns: str | None
    heads: tuple[Head, ...]
    tops: tuple[Scalar, ...]
    cells: tuple[tuple[float | None, ...], ...]
    value: str = ""

    def best(self, decimals: int) -> frozenset[tuple[int, int]]:
        """The places of the largest numbers as they are printed, ties included.

        Of each column where columns are data sets or scores, which do not compare; else of all.
        """
        printed = {
            (row, place): round(cell, decimals)
            for row, line in enumerate(self.cells)
            for place, cell in enumerate(line)
            if cell is not None
        }
        apart = self.columns in (None, "dataset")
        groups = [[at for at in printed if at[1] == place] for place in range(len(self.tops))]
        found = set[tuple[int, int]]()
        for group in groups if apart else [list(printed)]:
            if len(group) > 1:
                most = max(printed[at] for at in group)
                found |= {at for at in group if printed[at] == most}
        return frozenset(found)


def make_pivot(
    frame: pd.DataFrame,
    rows: str | None = None,
    columns: str | None = None,
    value: str | None = None,
) -> Pivot:
    """Lay out the records of a frame (`evaluation.records.query.read_frame`).

    rows: options, between commas. columns: an option; None makes a column for each score. value:
    a score, the headline unless told; without columns several, between commas, or all. Where
    neither rows nor columns are given, they are what differs between the records.

    Raises ValueError for an unknown name, and for two records in one cell: it says in what they
    differ.
    """
    if frame.empty:
        raise ValueError("the filters leave no record")
    lines = lines_of(frame)
    names, top = _axes(frame, lines, rows, columns)
    scores = _scores(frame, value, several=top is None)
    titles = [frame.attrs["titles"].get(name, name) for name in scores]
    heads = in_order([tuple(line[name] for name in names) for line in lines])
    tops = [one for (one,) in in_order([(line[top],) for line in lines])] if top else [None]
    places: dict[tuple[Head, Scalar], list[int]] = {}
    for place, line in enumerate(lines):
        at = (tuple(line[name] for name in names), line[top] if top else None)
        places.setdefault(at, []).append(place)
    for met in places.values():
        _check_one([lines[place] for place in met], [*names, *([top] if top else [])])
    numbers = frame[scores].to_numpy(dtype=float, na_value=float("nan")).tolist()
    nothing = [None] * len(scores)
    cells = [
        [numbers[places[head, one][0]] if (head, one) in places else nothing for one in tops]
        for head in heads
    ]
    return Pivot(
        rows=tuple(names),
        columns=top,
        heads=tuple(heads),
        tops=tuple(tops if top else titles),
        cells=tuple(
            tuple(None if is_empty(number) else number for found in line for number in found)
            for line in cells
        ),
        value=titles[0] if len(titles) == 1 else "",
    )


def headline(frame: pd.DataFrame) -> str | None:
    """The first score that a record of the frame has."""
    titles = frame.attrs["titles"]
    return next((name for name in titles if frame[name].notna().any()), None)


def _axes(
    frame: pd.DataFrame, lines: Sequence[Line], rows: str | None, columns: str | None
) -> tuple[list[str], str | None]:
    """The options of the rows and of the columns; data sets become columns unless told."""
    top = column(frame, columns) if columns else None
    if rows:
        return [column(frame, name.strip()) for name in rows.split(",")], top
    names = needed(lines)
    if top is None and len(names) > 1:
        top = "dataset" if "dataset" in names else names[-1]
    return [name for name in names if name != top] or ["method"], top


def _scores(frame: pd.DataFrame, value: str | None, *, several: bool) -> list[str]:
    known: Sequence[str] = frame.attrs["scores"]
    titles = [name for name in frame.attrs["titles"] if frame[name].notna().any()]
    wanted = (
        [one.strip() for one in value.split(",")] if value else titles if several else titles[:1]
    )
    for name in wanted:
        if name not in known:
            raise ValueError(f"value={value}: expected a score, one of {', '.join(known)}")
    if len(wanted) != 1 and not several:
        raise ValueError(f"value={value}: expected one score beside columns=")
    if not wanted:
        raise ValueError("the records have no score")
    return wanted


def _check_one(met: Sequence[Line], names: Sequence[str]) -> None:
    """Raise ValueError for several records in a cell; it says where, and in what they differ."""
    if len(met) < 2:
        return
    where = ", ".join(f"{name}={met[0][name]}" for name in names)
    differing = [name for name in needed(met) if name not in names][:SHOWN]
    what = ", ".join(f"{name} ({_named(line.get(name) for line in met)})" for name in differing)
    raise ValueError(
        f"{where}: {len(met)} records, which differ in "
        f"{what or 'nothing that decides their numbers'}; choose by a filter, or name it in rows="
    )


def _named(values: Iterable[Scalar]) -> str:
    """Some of the values, each in a few letters."""
    each = [
        f"{text[:29]}…" if len(text := str(one)) > 30 else text for one in dict.fromkeys(values)
    ]
    more = ["..."] if len(each) > SHOWN else []
    return ", ".join([*each[:SHOWN], *more])
