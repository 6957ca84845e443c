"""The figures of the tables: the paper's numbers hollow, ours filled; other data beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.tables import style
from evaluation.tables.cells import TablePlan
from evaluation.tables.fill import TableResults
from evaluation.tables.labels import Name, Point, place
from evaluation.tables.series import Facet, Series, facets_of, series_of
from evaluation.tables.table import PublishedFigure, PublishedTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES, SCATTER, ROW = 1.5, 2.2, 0.25  # inches: of a facet, of a row of dots
AROUND = 0.7  # inches: title, numbers and name of the x axis
LEGEND_LINE = 0.15
LETTERS = 52  # of a line
KINDS = {
    "lines": "The star is the highest of its line.",
    "dots": "The star is the highest of its column.",
    "scatter": "A star: no other is both faster and better.",
}


def draw(plan: TablePlan, results: TableResults, folder: Path) -> list[Path]:
    """The figure of a table as PNG and SVG; none for tables that have no figure or no numbers."""
    wanted, series = plan.table.figure, series_of(plan, results)
    if wanted is None or not series:
        return []
    with style.look():
        figure = compose(wanted, plan.table, facets_of(series))
        caption = caption_of(wanted, facets_of(series))
        paths = [folder / f"{wanted.name}.{suffix}" for suffix in ("png", "svg")]
        return [style.save(figure, one, title=wanted.title, caption=caption) for one in paths]


def caption_of(wanted: PublishedFigure, facets: list[Facet]) -> str:
    """What is seen: the axes, what each facet shows, what the star is."""
    axes = f"{wanted.y} over {wanted.x}" if wanted.y else wanted.x
    shown = []
    for facet in facets:
        several = facet.series if wanted.kind != "scatter" else ()
        names = [name for one in several if (name := facet.legend(one))]
        shown.append(facet.title + (f" ({'; '.join(dict.fromkeys(names))})" if names else ""))
    hollow = " Hollow: the paper's; filled: ours." if any(one.both for one in facets) else ""
    whole = "; below, on an axis of its own, ".join(shown)
    return f"{wanted.title}. {axes}: {whole}.{hollow} {KINDS[wanted.kind]}"


def compose(wanted: PublishedFigure, table: PublishedTable, facets: list[Facet]) -> Figure:
    """One facet below the other, each with its own axes and legend."""
    heights = [_height(wanted, table, facet) for facet in facets]
    figure = style.new_figure(sum(heights) + 0.3)
    style.headline(figure, wanted.title)
    parts = figure.subfigures(len(facets), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, facet in zip(parts, facets, strict=True):
        axis = part.subplots()
        axis.set_title(facet.title, color=style.SOFT)
        axis.set_xlabel(wanted.x)
        axis.set_ylabel(wanted.y)
        ARTISTS[wanted.kind](figure, axis, wanted, table, facet)
        if axis.get_legend_handles_labels()[1]:
            part.legend(loc="outside lower center", ncols=_across(facet))
    return figure


def _across(facet: Facet) -> int:
    """Entries of the legend beside each other."""
    lengths = [len(facet.legend(one)) + 6 for one in facet.series]
    if sum(lengths) <= LETTERS:
        return len(lengths)
    return max(1, min(len(lengths) - 1, LETTERS // max(lengths)))


def _height(wanted: PublishedFigure, table: PublishedTable, facet: Facet) -> float:
    """Inches of a facet with its title and legend."""
    legend = 0 if len(facet.series) == 1 else -(-len(facet.series) // _across(facet)) * LEGEND_LINE
    if wanted.kind == "dots":
        return AROUND + ROW * len(rows_of(table, facet)) + legend
    return AROUND + (LINES if wanted.kind == "lines" else SCATTER) + legend


def rows_of(table: PublishedTable, facet: Facet) -> dict[int, str]:
    """What the rows are called that have a number in a facet.

    A number of another model is none of the paper's rows, so where all are in one row it has no
    name.
    """
    used = sorted({row for one in facet.series for row in one.values})
    keys = [table.rows[row].key for row in used]
    if facet.apart and len(used) == 1:
        return {used[0]: ""}
    return {row: ", ".join(key) for row, key in zip(used, keys, strict=True)}


def _style(facet: Facet, one: Series) -> dict[str, Any]:
    """A colour and a marker by the first part of the name; hollow is the paper's."""
    number = facet.places(0).index(one.short[0]) if one.short else 0
    colour = style.COLOURS[number % len(style.COLOURS)] if one.short else style.INK
    marker = style.MARKERS[number % len(style.MARKERS)]
    face = colour if one.ours else "white"
    label = facet.legend(one) or None
    return {"label": label, "color": colour, "marker": marker, "markerfacecolor": face}


def _lines(
    whole: Figure, axis: Axes, figure: PublishedFigure, table: PublishedTable, facet: Facet
) -> None:
    """One line per column over the number of each row that is drawn, dashed by its second part."""
    over, names, lines = _numbers_of(figure, table), list[Name](), list[list[Point]]()
    for one in facet.series:
        points = sorted((over[row], value) for row, value in one.values.items() if row in over)
        if not points:
            continue
        x, y = [place for place, _ in points], [value for _, value in points]
        second = facet.places(1).index(one.short[1]) if len(one.short) > 1 else 0
        look = _style(facet, one)
        axis.plot(x, y, linestyle=style.DASHES[second % len(style.DASHES)], **look)
        top = y.index(max(y))
        style.best_of(axis, x[top], y[top], look["color"])
        names.append(Name(f"{y[top]:.1f}", x[top], y[top], look["color"]))
        lines.append(points)
    covered = [point for line in lines for point in line]
    places = sorted({place for place, _ in covered})
    if figure.log:
        axis.set_xscale("log")
        style.plain_numbers(axis)
    else:
        axis.set_xticks(places)
    axis.margins(0.05, 0.12)
    place(whole, axis, names, dots=covered, lines=lines)


def _numbers_of(figure: PublishedFigure, table: PublishedTable) -> dict[int, float]:
    """Where the rows that are drawn lie on the x axis."""
    found = {}
    for index, row in enumerate(table.rows):
        texts = dict(zip(table.keys, row.key, strict=True))
        if figure.only.items() <= texts.items():
            found[index] = float(texts[figure.over])
    return found


def _dots(
    _: Figure, axis: Axes, _wanted: PublishedFigure, table: PublishedTable, facet: Facet
) -> None:
    """A row of dots per row of the table that has one, its name above it."""
    rows = rows_of(table, facet)
    heights = {row: place for place, row in enumerate(rows)}
    for one in facet.series:
        look, top = _style(facet, one), facet.best(one)
        y = [heights[row] for row in one.values]
        axis.plot(list(one.values.values()), y, linestyle="none", clip_on=False, **look)
        if len(one.values) > 1:
            style.best_of(axis, one.values[top], heights[top], look["color"])
    for row, name in rows.items():
        axis.annotate(
            name, (0, heights[row]), xycoords=axis.get_yaxis_transform(), xytext=(0, 2.5),
            textcoords="offset points", va="bottom",
        )  # fmt: skip
    axis.set_yticks(range(len(rows)), [""] * len(rows))
    axis.set_ylim(len(rows) - 0.5, -0.85)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)


def _scatter(
    whole: Figure, axis: Axes, _: PublishedFigure, table: PublishedTable, facet: Facet
) -> None:
    """Speeds against scores, each dot with the name of its row."""
    names, dots = list[Name](), list[Point]()
    for ours in (False, True):
        face = {"linestyle": "none", "markerfacecolor": style.INK if ours else "white"}
        both = [one for one in facet.series if one.ours is ours]
        scores = [one for one in both if one.score != "speed"]
        speeds = [one for one in both if one.score == "speed"]
        for score, speed in zip(scores, speeds, strict=False):
            points = {row: (speed.values[row], score.values[row])
                      for row in score.values if row in speed.values}  # fmt: skip
            for x, y in points.values():
                beaten = any(
                    one != (x, y) and one[0] >= x and one[1] >= y for one in points.values()
                )
                best = {} if beaten else style.BEST | {"markerfacecolor": style.INK}
                axis.plot([x], [y], color=style.INK, **{"marker": "o", **face, **best})
            dots += points.values()
            names += [Name(table.rows[row].key[0], *at, style.INK) for row, at in points.items()]
    axis.set_xscale("log")
    style.plain_numbers(axis)
    axis.margins(0.12)
    place(whole, axis, sorted(names, key=lambda one: -one.y), dots=dots)


Artist = Callable[["Figure", "Axes", PublishedFigure, PublishedTable, Facet], None]
ARTISTS: dict[str, Artist] = {"lines": _lines, "dots": _dots, "scatter": _scatter}
