"""A pivot table as Markdown, LaTeX and CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from evaluation.records.flatten import Scalar
from evaluation.records.pivot import Pivot
from evaluation.records.spreadsheet import frame_csv
from evaluation.tables.render import LATEX, MARKDOWN, Markup, in_a_line


def pivot_markdown(pivot: Pivot, decimals: int, title: str) -> str:
    """A table of GitHub's Markdown; the best is bold."""
    names = [*map(short, pivot.rows), *(heading(pivot, top) for top in pivot.tops)]
    rule = ["---"] * len(pivot.rows) + ["---:"] * len(pivot.tops)
    head = [MARKDOWN.escape(name) for name in names]
    rows = [head, rule, *_rows(pivot, decimals, MARKDOWN, nothing="-")]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"{MARKDOWN.escape(title)}", "", *lines, ""])


def pivot_latex(pivot: Pivot, decimals: int, title: str) -> str:
    r"""A booktabs tabular, to ``\input`` where booktabs is loaded; the best is bold.

    The name of the option of the columns stands above their values.
    """
    texts, numbers = len(pivot.rows), len(pivot.tops)
    names = [LATEX.escape(short(name)) for name in pivot.rows]
    tops = [LATEX.escape(written(top)) for top in pivot.tops]
    above = []
    if pivot.columns not in (None, "dataset"):
        name = LATEX.escape(short(str(pivot.columns)))
        span = rf"\multicolumn{{{numbers}}}{{c}}{{{name}}}"
        above = [
            f"{' & ' * texts}{span} \\\\",
            rf"\cmidrule(lr){{{texts + 1}-{texts + numbers}}}",
        ]
    return "\n".join([
        f"% {in_a_line(title)}; made by scripts/records.py; needs \\usepackage{{booktabs}}",
        rf"\begin{{tabular}}{{{'l' * texts}{'r' * numbers}}}", r"\toprule", *above,
        f"{' & '.join([*names, *tops])} \\\\", r"\midrule",
        *(f"{' & '.join(row)} \\\\" for row in _rows(pivot, decimals, LATEX, nothing="--")),
        r"\bottomrule", r"\end{tabular}", "",
    ])  # fmt: skip


def pivot_csv(pivot: Pivot, decimals: int, title: str) -> str:  # noqa: ARG001 as the others
    """Numbers in full; texts that a spreadsheet would compute begin with an apostrophe."""
    names = [*map(short, pivot.rows), *(heading(pivot, top) for top in pivot.tops)]
    rows = [[*head, *line] for head, line in zip(pivot.heads, pivot.cells, strict=True)]
    return frame_csv(pd.DataFrame(rows, columns=pd.Index(names)))


FORMATS: dict[str, Callable[[Pivot, int, str], str]] = {
    "markdown": pivot_markdown, "latex": pivot_latex, "csv": pivot_csv,
}  # fmt: skip
SUFFIXES = {".md": "markdown", ".tex": "latex", ".csv": "csv"}


def pivot_title(pivot: Pivot, frame: pd.DataFrame) -> str:
    """What the numbers are, and what all records share."""
    named = (*pivot.rows, pivot.columns)
    shared = [
        f"{name} {frame[name].iloc[0]}"
        for name in ("dataset", "method", "model", "weights", "protocol", "images")
        if name not in named and len(set(frame[name])) == 1
    ]
    return ", ".join([f"{pivot.value or 'scores'} (%)", *shared])


def short(name: str) -> str:
    """The last part of the name of an option."""
    return name.rpartition(".")[2]


def heading(pivot: Pivot, top: Scalar) -> str:
    """What a column is called: a data set and a score by itself, a value with its option."""
    alone = pivot.columns in (None, "dataset", "method", "model")
    return written(top) if alone else f"{short(str(pivot.columns))}={written(top)}"


def written(value: Scalar) -> str:
    """A value as text: 3 and 0.1 for numbers, a dash for none."""
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _rows(pivot: Pivot, decimals: int, markup: Markup, *, nothing: str) -> list[Sequence[str]]:
    best = pivot.best(decimals)

    def cell(row: int, place: int) -> str:
        number = pivot.cells[row][place]
        if number is None:
            return nothing
        text = f"{number:.{decimals}f}"
        return markup.bold.format(text) if (row, place) in best else text

    return [
        [
            *(markup.escape(written(one)) for one in head),
            *(cell(row, place) for place in range(len(pivot.tops))),
        ]
        for row, head in enumerate(pivot.heads)
    ]
