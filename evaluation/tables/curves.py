"""The figures of the tables: the paper's numbers dashed and hollow, ours solid and filled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from evaluation.tables.cells import TablePlan
from evaluation.tables.fill import TableResults, value_in
from evaluation.tables.table import PublishedFigure, PublishedRow, PublishedTable
from evaluation.whole_files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe and Ito
OURS_ALONE = ("#222222", "#888888")  # ours on other data has no paper's curve to go with


@dataclass(frozen=True)
class Series:
    """Numbers of one column, by the row's index."""

    label: str
    score: str
    ours: bool
    colour: str
    values: dict[int, float]

    @property
    def style(self) -> dict[str, Any]:
        """How its line or dots are drawn, and what the legend calls them."""
        face = self.colour if self.ours else "none"
        return {"label": self.label, "color": self.colour, "marker": "o", "markerfacecolor": face}


def series_of(plan: TablePlan, results: TableResults) -> list[Series]:
    """All columns that have numbers: the paper's, then ours."""
    colours = [COLOURS[index % len(COLOURS)] for index in range(len(plan.table.columns))]
    found = []
    for index, column in enumerate(plan.table.columns):
        numbers = (row.cells[index].published for row in plan.table.rows)
        found.append(_series(f"paper: {column.name}", column.score, colours[index], numbers))
    alone = 0
    for ours in plan.columns:
        colour = colours[ours.published[0]]
        if not ours.comparable:
            colour, alone = OURS_ALONE[alone % 2], alone + 1
        numbers = (value_in(record, ours.score) for record in results.of(ours))
        found.append(_series(f"ours: {ours.name}", ours.score, colour, numbers, ours=True))
    return [one for one in found if one.values]


def _series(
    label: str, score: str, colour: str, numbers: Iterable[float | None], *, ours: bool = False
) -> Series:
    values = {row: number for row, number in enumerate(numbers) if number is not None}
    return Series(label, score, ours, colour, values)


def draw(plan: TablePlan, results: TableResults, folder: Path) -> list[Path]:
    """The figure of a table as PNG and SVG; none for tables that have no figure or no numbers."""
    wanted, series = plan.table.figure, series_of(plan, results)
    if wanted is None or not series:
        return []
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axis = figure.subplots()
    ARTISTS[wanted.kind](axis, wanted, plan.table, series)
    axis.set_xlabel(wanted.x)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_title(wanted.title, fontsize=10, loc="left")
    figure.legend(loc="outside lower center", fontsize=7.5, frameon=False, ncols=2)
    return [_save(figure, folder / f"{wanted.name}.{suffix}") for suffix in ("png", "svg")]


def _save(figure: Figure, path: Path) -> Path:
    kind = path.suffix[1:]
    undated = {"Date": None} if kind == "svg" else None  # the same numbers give the same file
    with mpl.rc_context({"svg.hashsalt": path.stem}):
        write_whole(path, lambda part: figure.savefig(part, format=kind, dpi=160, metadata=undated))
    return path


def _lines(
    axis: Axes, figure: PublishedFigure, table: PublishedTable, series: list[Series]
) -> None:
    """One line per column over the number of each row that is drawn."""
    places = {}
    for index, row in enumerate(table.rows):
        texts = dict(zip(table.keys, row.key, strict=True))
        if figure.only.items() <= texts.items():
            places[index] = float(texts[figure.over])
    for one in series:
        points = sorted((places[row], value) for row, value in one.values.items() if row in places)
        x, y = [place for place, _ in points], [value for _, value in points]
        axis.plot(x, y, markersize=4.5, linestyle="-" if one.ours else "--", **one.style)
    axis.set_ylabel(figure.y)
    axis.set_ylim(bottom=0)
    axis.grid(color="0.92")
    if figure.log:
        axis.set_xscale("log")
    else:
        axis.set_xticks(sorted(set(places.values())))


def _dots(axis: Axes, _: PublishedFigure, table: PublishedTable, series: list[Series]) -> None:
    """A row of dots per row of the table."""
    for one in series:
        x, y = list(one.values.values()), list(one.values)
        axis.plot(x, y, linestyle="none", markersize=6, **one.style)
    axis.set_yticks(range(len(table.rows)), [" ".join(row.key) for row in table.rows], fontsize=8)
    axis.invert_yaxis()
    axis.grid(color="0.92")


def _scatter(
    axis: Axes, figure: PublishedFigure, table: PublishedTable, series: list[Series]
) -> None:
    """Speeds against scores, of the paper and of ours, each dot with the name of its row."""
    for ours in (False, True):
        both = [one for one in series if one.ours is ours]
        scores = [one for one in both if one.score != "speed"]
        speeds = [one for one in both if one.score == "speed"]
        for score, speed in zip(scores, speeds, strict=False):
            _named_dots(axis, table.rows, score, speed)
    axis.set_xscale("log")
    axis.set_ylabel(figure.y)
    axis.grid(color="0.92")


def _named_dots(axis: Axes, rows: tuple[PublishedRow, ...], scores: Series, speeds: Series) -> None:
    """Dots from the highest score to the lowest; names of close ones go below their dots."""
    placed = list[tuple[float, float]]()
    both = scores.values.keys() & speeds.values.keys()
    for row in sorted(both, key=lambda one: scores.values[one], reverse=True):
        x, y = speeds.values[row], scores.values[row]
        crowded = any(abs(y - high) < 1.5 and x / 3 < wide < 3 * x for wide, high in placed)
        placed.append((x, y))
        axis.plot(x, y, **scores.style | {"label": None})
        axis.annotate(
            rows[row].key[0],
            (x, y),
            xytext=(4, -8 if crowded else 3),
            textcoords="offset points",
            fontsize=6.5,
            color=scores.colour,
        )
    axis.plot([], [], linestyle="none", **scores.style)


Artist = Callable[["Axes", PublishedFigure, PublishedTable, list[Series]], None]
ARTISTS: dict[str, Artist] = {"lines": _lines, "dots": _dots, "scatter": _scatter}
