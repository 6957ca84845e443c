"""A pivot table of records, printed or written, and its figure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.console import console, say
from evaluation.records.pivot import headline, make_pivot
from evaluation.tables.pivot_text import FORMATS, SUFFIXES, pivot_title
from evaluation.whole_files import write_text

if TYPE_CHECKING:
    import pandas as pd


def show_pivot(frame: pd.DataFrame, own: Mapping[str, Any]) -> None:
    """Print or write the table of a frame, and draw it, as the keys of ``records.py`` say.

    Where only a figure is asked for, no table is printed. Raises ValueError for an ending of a
    file that is not known, and what `make_pivot` and `draw_sweep` raise.
    """
    axes = (own["rows"], own["columns"])
    if own["plot"]:
        from evaluation.tables.sweep_figure import draw_sweep  # late: matplotlib

        drawn = make_pivot(frame, *axes, own["value"] or headline(frame))
        say("written: ", draw_sweep(drawn, own["plot"]))
        if not (own["format"] or own["out"]):
            return
    pivot = make_pivot(frame, *axes, own["value"])
    render = FORMATS[own["format"] or _format_of(own["out"])]
    text = render(pivot, own["decimals"], pivot_title(pivot, frame))
    if own["out"]:
        write_text(own["out"], text)
        say("written: ", own["out"])
    else:
        console.out(text, highlight=False, end="")


def _format_of(path: Path | None) -> str:
    """The format that the name of a file says; Markdown where there is none."""
    if path is None:
        return "markdown"
    if path.suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise ValueError(f"out={path}: expected a name that ends with {known}, or format=")
    return SUFFIXES[path.suffix]
