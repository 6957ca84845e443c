"""Frames as CSV that a spreadsheet opens without computing anything."""

from __future__ import annotations

import re

import pandas as pd

from evaluation.console import visible

FORMULA = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20].", re.DOTALL)
"""What a spreadsheet would compute, and the apostrophes that may stand before it already."""


def frame_csv(frame: pd.DataFrame) -> str:
    r"""CSV without the index; texts are from anywhere, names of columns too.

    Numbers stay numbers, negative ones too. A text that begins a formula gets an apostrophe in
    front (OWASP, "CSV Injection"), and line breaks, tabs and what else commands a terminal are
    written out (``\n``). To have the texts back, remove one apostrophe where one was added:
    ``frame[name].str.replace("^'(?='*[=+@-].)", "", regex=True)`` after ``pandas.read_csv``.
    """
    columns = [_column(frame.iloc[:, place]) for place in range(frame.shape[1])]
    shown = pd.concat(columns, axis=1) if columns else frame
    names = [_cell(str(name)) for name in frame.columns]
    text: str = shown.to_csv(index=False, header=names, lineterminator="\n")
    return text


def _column(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values):
        return values
    return pd.Series([_cell(value) for value in values], dtype=object, index=values.index)


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = visible(value)
    return f"'{text}" if FORMULA.match(text) else text
