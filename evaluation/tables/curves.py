"""The figures of the tables: the paper's numbers dashed and hollow, ours solid and filled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from evaluation.tables.fill import Answers
from evaluation.tables.plan import Plan
from evaluation.tables.published import Row
from evaluation.tables.sheet import record_of, value_in
from evaluation.whole_files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe and Ito
OURS_ELSEWHERE = ("#222222", "#888888")  # ours on other data has no paper's curve to go with
UNITS = {"miou": "mIoU (%)", "pmiou": "p-mIoU (%)", "speed": "images/s"}


@dataclass(frozen=True)
class Series:
    """Numbers of one column, by the row's index."""

    label: str
    score: str
    ours: bool
    colour: str
    values: dict[int, float]


def series_of(plan: Plan, answers: Answers) -> list[Series]:
    """All columns that have numbers: the paper's, then ours."""
    found, rows = [], plan.table.rows
    for index, column in enumerate(plan.table.columns):
        cells = {number: row.cells[index].published for number, row in enumerate(rows)}
        values = {number: value for number, value in cells.items() if value is not None}
        colour = COLOURS[index % len(COLOURS)]
        found.append(Series(f"paper: {column.name}", column.score, False, colour, values))
    elsewhere = 0
    for index, group in enumerate(plan.groups):
        records = {n: record_of(row[index], group, answers) for n, row in enumerate(plan.asks)}
        scores = {n: value_in(record, group.score) for n, record in records.items() if record}
        values = {number: value for number, value in scores.items() if value is not None}
        colour = found[group.columns[0]].colour
        if not group.own:
            colour, elsewhere = OURS_ELSEWHERE[elsewhere % 2], elsewhere + 1
        found.append(Series(f"ours: {group.name}", group.score, True, colour, values))
    return [one for one in found if one.values]


def draw(plan: Plan, answers: Answers, folder: Path) -> tuple[Path, ...]:
    """The figure of a table as PNG and SVG; none for tables that have no figure or no numbers."""
    name, title, artist = FIGURES.get(plan.table.name, ("", "", None))
    series = series_of(plan, answers)
    if artist is None or not series:
        return ()
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axis = figure.subplots()
    artist(axis, plan.table.rows, series)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_title(title, fontsize=10, loc="left")
    figure.legend(loc="outside lower center", fontsize=7.5, frameon=False, ncols=2)
    return tuple(_save(figure, folder / f"{name}.{suffix}") for suffix in ("png", "svg"))


def _save(figure: Figure, path: Path) -> Path:
    kind = path.suffix[1:]
    undated = {"Date": None} if kind == "svg" else None  # the same numbers give the same file
    with mpl.rc_context({"svg.hashsalt": path.stem}):
        write_whole(path, lambda part: figure.savefig(part, format=kind, dpi=160, metadata=undated))
    return path


def _lines(
    axis: Axes, rows: tuple[Row, ...], series: list[Series], where: Callable[[Row], float | None]
) -> None:
    """One line per column over a number that each row has; rows without one are left out."""
    for one in series:
        points = ((where(rows[number]), value) for number, value in one.values.items())
        line = sorted((x, y) for x, y in points if x is not None)
        axis.plot(
            [x for x, _ in line], [y for _, y in line],
            label=one.label, color=one.colour, marker="o", markersize=4.5,
            linestyle="-" if one.ours else "--", markerfacecolor=one.colour if one.ours else "none",
        )  # fmt: skip
    axis.set_ylabel(UNITS[series[0].score])
    axis.set_ylim(bottom=0)
    axis.grid(color="0.92")


def _iterations(axis: Axes, rows: tuple[Row, ...], series: list[Series]) -> None:
    _lines(axis, rows, series, lambda row: int(row.key[1]) if row.key[0] == "GEM" else None)
    axis.set_xlabel("iterations K")
    axis.set_xticks(range(4))


def _temperature(axis: Axes, rows: tuple[Row, ...], series: list[Series]) -> None:
    _lines(axis, rows, series, lambda row: float(row.key[0]))
    axis.set_xscale("log")
    axis.set_xlabel("multiple of 1/temperature")


def _depth(axis: Axes, rows: tuple[Row, ...], series: list[Series]) -> None:
    _lines(axis, rows, series, lambda row: int(row.key[0]))
    axis.set_xlabel("depth d, the last blocks with a second path")
    axis.set_xticks(range(1, len(rows) + 1))


def _backbones(axis: Axes, rows: tuple[Row, ...], series: list[Series]) -> None:
    """A row of dots per backbone."""
    for one in series:
        axis.plot(
            list(one.values.values()), list(one.values),
            label=one.label, color=one.colour, marker="o", linestyle="none", markersize=6,
            markerfacecolor=one.colour if one.ours else "none",
        )  # fmt: skip
    axis.set_yticks(range(len(rows)), [" ".join(row.key) for row in rows], fontsize=8)
    axis.invert_yaxis()
    axis.set_xlabel("mIoU, of points p-mIoU (%)")
    axis.grid(color="0.92")


def _speed(axis: Axes, rows: tuple[Row, ...], series: list[Series]) -> None:
    """Images per second against points; the paper's on one A6000, ours on this machine."""
    for scores, speeds in _pairs(series):
        face, placed = scores.colour if scores.ours else "none", list[tuple[float, float]]()
        both = scores.values.keys() & speeds.values.keys()
        for number in sorted(both, key=lambda one: scores.values[one], reverse=True):
            x, y = speeds.values[number], scores.values[number]
            crowded = any(abs(y - high) < 1.5 and x / 3 < wide < 3 * x for wide, high in placed)
            placed.append((x, y))
            axis.plot(x, y, marker="o", color=scores.colour, markerfacecolor=face)
            axis.annotate(
                rows[number].key[0],
                (x, y),
                xytext=(4, -8 if crowded else 3),
                textcoords="offset points",
                fontsize=6.5,
                color=scores.colour,
            )
        axis.plot([], [], "o", color=scores.colour, markerfacecolor=face, label=scores.label)
    axis.set_xscale("log")
    axis.set_xlabel("images/s")
    axis.set_ylabel(UNITS["pmiou"])
    axis.grid(color="0.92")


def _pairs(series: list[Series]) -> Iterator[tuple[Series, Series]]:
    """Scores with speeds, of the paper and of ours."""
    for ours in (False, True):
        scores = [one for one in series if one.ours is ours and one.score != "speed"]
        speeds = [one for one in series if one.ours is ours and one.score == "speed"]
        yield from zip(scores, speeds, strict=False)


Artist = Callable[["Axes", tuple[Row, ...], list[Series]], None]
FIGURES: dict[str, tuple[str, str, Artist]] = {
    "3": ("speed", "Speed against accuracy of points", _speed),
    "4": ("iterations", "Iterations of the self-self attention", _iterations),
    "5": ("backbones", "GEM on backbones", _backbones),
    "6": ("depth", "Depth of the second path, with and without MLP", _depth),
    "figure5": ("temperature", "Temperature, with and without norm", _temperature),
}
