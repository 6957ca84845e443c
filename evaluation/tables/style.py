"""How figures look: a column of a paper wide, in 8 points, in colours that all can tell apart."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from evaluation.whole_files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 3.3  # inches: a column of two
SIZE = 8  # points
INK, SOFT, GRID = "#222222", "#666666", "#e6e6e6"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", INK, "#8c6d31")
"""Okabe and Ito's, but for the yellow, which is too pale for a line on white."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2)))
BEST: dict[str, Any] = {
    "marker": "*", "markersize": 9, "markeredgecolor": "white", "markeredgewidth": 0.6,
    "linestyle": "none", "zorder": 4,
}  # fmt: skip
LOOK: dict[Any, Any] = {
    "font.size": SIZE, "axes.titlesize": SIZE, "axes.labelsize": SIZE, "xtick.labelsize": SIZE,
    "ytick.labelsize": SIZE, "legend.fontsize": SIZE, "figure.titlesize": SIZE,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4, "ytick.minor.width": 0.4, "xtick.major.size": 2.5,
    "ytick.major.size": 2.5, "xtick.minor.size": 1.5, "ytick.minor.size": 1.5,
    "lines.linewidth": 1.1, "lines.markersize": 4, "lines.markeredgewidth": 0.9,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "grid.color": GRID, "grid.linewidth": 0.5, "axes.axisbelow": True, "axes.grid": True,
    "legend.frameon": False, "legend.borderpad": 0.1, "legend.labelspacing": 0.25,
    "legend.columnspacing": 1.2, "legend.handlelength": 2.0, "axes.titlelocation": "left",
    "axes.titlepad": 3.0, "axes.labelpad": 2.0,
    "figure.constrained_layout.h_pad": 0.03, "figure.constrained_layout.w_pad": 0.02,
}  # fmt: skip


def look() -> Any:
    """The context in which a figure is made and saved."""
    return mpl.rc_context(LOOK)


def new_figure(height: float) -> Figure:
    """An empty figure of so many inches; artists can be measured on it."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained", dpi=300)
    FigureCanvasAgg(figure)
    return figure


def headline(figure: Figure, text: str) -> None:
    """The title of a figure, in lines that fit into its width."""
    lines = textwrap.wrap(text, 48)
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontweight="bold")


def best_of(axis: Axes, x: float, y: float, colour: str) -> None:
    """A star at the optimum."""
    axis.plot([x], [y], color=colour, **BEST)


def plain_numbers(axis: Axes) -> None:
    """Numbers of a logarithmic x axis as 0.1 and 20, few enough to stand beside each other."""
    low, high = axis.get_xlim()
    steps = (1, 2, 5) if high / low < 500 else (1,)
    locator = MaxNLocator(4) if high / low < 10 else LogLocator(subs=steps)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())


def save(figure: Figure, path: Path, *, title: str, caption: str) -> Path:
    """Write a figure as PNG or SVG, with what it shows as text in the file.

    The same numbers give the same file: it has no date.
    """
    kind = path.suffix[1:]
    said: Mapping[str, str | None] = {"Title": title, "Description": caption}
    said = {**said, "Date": None} if kind == "svg" else said
    with mpl.rc_context({"svg.hashsalt": path.stem}):
        write_whole(path, _writer(figure, kind, said))
    return path


def _writer(figure: Figure, kind: str, said: Mapping[str, str | None]) -> Callable[[Any], None]:
    clear = kind == "svg"  # a page behind it may be dark
    return lambda part: figure.savefig(part, format=kind, metadata=said, transparent=clear)
