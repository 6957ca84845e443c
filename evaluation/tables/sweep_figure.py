"""A sweep as a figure for one column of a paper: 3.3 inches wide, 8 points, fonts embedded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from evaluation.console import visible
from evaluation.records.flatten import Scalar
from evaluation.records.pivot import Pivot
from evaluation.tables.pivot_text import short, written
from evaluation.whole_files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 3.3  # inches
KINDS = ("pdf", "png", "svg")
STYLE: dict[str, Any] = {
    "font.size": 8, "axes.labelsize": 8, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "legend.fontsize": 8, "axes.linewidth": 0.6, "xtick.major.width": 0.6,
    "ytick.major.width": 0.6, "pdf.fonttype": 42, "svg.fonttype": "path", "text.parse_math": False,
}  # fmt: skip
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe and Ito
MARKERS = "osDv^P"
WIDE = 20.0  # ratio of the largest and smallest value, beyond which an axis is logarithmic
MOST = 8  # columns of a heat map in which numbers fit, and values that have a tick each


def draw_sweep(pivot: Pivot, path: Path) -> Path:
    """Draw one option as a line, two as a heat map, the best marked; returns the path.

    Where one of two options is no number (data sets, methods), each of its values has a line.
    Raises ValueError for another ending, more options, several scores, or nothing to draw.
    """
    kind = path.suffix[1:].lower()
    if kind not in KINDS:
        raise ValueError(f"plot={path}: expected a name that ends with .{', .'.join(KINDS)}")
    if len(pivot.rows) > 1:
        names = ", ".join([*pivot.rows, *([pivot.columns] if pivot.columns else [])])
        raise ValueError(
            f"plot={path}: the records differ in {names}; expected one or two options: choose by "
            "filters, or by rows= and columns="
        )
    if not pivot.value:
        raise ValueError(f"plot={path}: expected one score, as value=miou")
    if all(cell is None for line in pivot.cells for cell in line):
        raise ValueError(f"plot={path}: no record has {pivot.value}")
    style: Any = {**STYLE, "svg.hashsalt": path.stem}
    with mpl.rc_context(style):
        figure = _figure(pivot)
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        write_whole(path, lambda part: figure.savefig(part, format=kind, dpi=300, metadata=undated))
    return path


def _figure(pivot: Pivot) -> Figure:
    """Lines, or a heat map of two numbers."""
    rows, tops = [head[0] for head in pivot.heads], pivot.tops
    if pivot.columns is None:
        return _lines(pivot, short(pivot.rows[0]), rows, {"": [line[0] for line in pivot.cells]})
    by_row = {written(row): line for row, line in zip(rows, pivot.cells, strict=True)}
    by_top = {written(top): [line[place] for line in pivot.cells] for place, top in enumerate(tops)}
    if _numeric(rows) and not _numeric(tops) and len(tops) <= len(COLOURS):
        return _lines(pivot, short(pivot.rows[0]), rows, by_top)
    if _numeric(tops) and not _numeric(rows) and len(rows) <= len(COLOURS):
        return _lines(pivot, short(pivot.columns), tops, by_row)
    return _heat_map(pivot, rows)


def _lines(
    pivot: Pivot,
    name: str,
    values: Sequence[Scalar],
    series: Mapping[str, Sequence[float | None]],
) -> Figure:
    """A line for each series, its best point in a ring with its number."""
    figure = Figure(figsize=(WIDTH, 2.3), layout="constrained")
    axis = figure.subplots()
    numeric = _numeric(values)
    places = [float(str(one)) if numeric else index for index, one in enumerate(values)]
    for index, (label, cells) in enumerate(series.items()):
        points = [(x, y) for x, y in zip(places, cells, strict=True) if y is not None]
        if not points:
            continue
        style: dict[str, Any] = {
            "color": COLOURS[index],
            "marker": MARKERS[index],
            "markersize": 3.5,
        }
        line = "-" if numeric else "none"
        shown = visible(label) or None
        axis.plot(*zip(*points, strict=True), linestyle=line, linewidth=1.2, label=shown, **style)
        _mark(axis, max(points, key=lambda point: point[1]), COLOURS[index])
    axis.set_xlabel(name)
    axis.set_ylabel(f"{pivot.value} (%)")
    _scale(axis, values, places, numeric=numeric)
    axis.margins(x=0.08, y=0.16)
    axis.grid(color="0.92", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    if len(series) > 1:
        figure.legend(loc="outside upper center", ncols=3, frameon=False, handlelength=1.4)
    return figure


def _mark(axis: Axes, best: tuple[float, float], colour: str) -> None:
    axis.plot(
        *best, marker="o", markersize=8, markerfacecolor="none", markeredgecolor=colour,
        markeredgewidth=1.0, linestyle="none",
    )  # fmt: skip
    axis.annotate(
        f"{best[1]:.1f}", best, xytext=(0, 6), textcoords="offset points", ha="center",
        va="bottom", color=colour, fontweight="bold",
    )  # fmt: skip


def _scale(axis: Axes, values: Sequence[Scalar], places: Sequence[float], *, numeric: bool) -> None:
    """Ticks at the values; a logarithmic axis where they span orders of magnitude."""
    if not numeric:
        crowded = sum(len(written(one)) for one in values) > 30
        turned: dict[str, Any] = {"rotation": 30, "ha": "right"} if crowded else {}
        axis.set_xticks(places, [visible(written(one)) for one in values], **turned)
        return
    if min(places) > 0 and max(places) / min(places) > WIDE:
        axis.set_xscale("log")
        axis.minorticks_off()
    if len(places) <= MOST:
        axis.set_xticks(places, [written(one) for one in values])


def _heat_map(pivot: Pivot, rows: Sequence[Scalar]) -> Figure:
    """A cell for each pair of values, with its number where that fits; the best is framed."""
    numbers = np.array([[np.nan if one is None else one for one in line] for line in pivot.cells])
    height = 0.75 + max(0.24 * len(rows), 0.9)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axis = figure.subplots()
    colours = mpl.colormaps["cividis"].with_extremes(bad="0.93")
    shown = axis.imshow(np.ma.masked_invalid(numbers), cmap=colours, aspect="auto")
    axis.set_xticks(range(len(pivot.tops)), [visible(written(one)) for one in pivot.tops])
    axis.set_yticks(range(len(rows)), [visible(written(one)) for one in rows])
    axis.set_xlabel(short(str(pivot.columns)))
    axis.set_ylabel(short(pivot.rows[0]))
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    bar = figure.colorbar(shown, ax=axis, pad=0.02, aspect=14)
    bar.set_label(f"{pivot.value} (%)")
    bar.ax.spines[:].set_visible(False)
    row, place = np.unravel_index(np.nanargmax(numbers), numbers.shape)
    axis.add_patch(
        Rectangle(
            (place - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#d55e00", linewidth=1.6,
            clip_on=False, zorder=3,
        )
    )  # fmt: skip
    if len(pivot.tops) <= MOST:
        _numbers(axis, numbers, best=(int(row), int(place)))
    return figure


def _numbers(axis: Axes, numbers: np.ndarray[Any, Any], *, best: tuple[int, int]) -> None:
    """The numbers in the cells, light on dark and dark on light; the best is bold."""
    middle = (np.nanmin(numbers) + np.nanmax(numbers)) / 2
    for at, number in np.ndenumerate(numbers):
        if np.isnan(number):
            continue
        colour = "white" if number <= middle else "black"
        weight = "bold" if at == best else "normal"
        axis.text(
            at[1], at[0], f"{number:.1f}", ha="center", va="center", color=colour, fontsize=7,
            fontweight=weight,
        )  # fmt: skip


def _numeric(values: Sequence[Scalar]) -> bool:
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
