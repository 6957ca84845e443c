"""The figure of a search: mIoU over the background's threshold, or over a scale where none is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.measure.thresholds import THRESHOLDS
from evaluation.tables import style
from evaluation.tables.labels import Name, Point, place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Trials = Sequence[dict[str, Any]]
HEIGHT, LEGEND_LINE = 2.3, 0.16  # inches
SCALES = {"logit_scale": "logit scale", "temperature_scale": "temperature scale"}


def draw_trials(trials: Trials, path: Path, title: str) -> None:
    """Write a PNG. A colour for each logit scale, a dash for each temperature scale.

    trials: as `evaluation.run.tune.plain` has them, the best first.
    """
    varied = [key for key in SCALES if len({one[key] for one in trials}) > 1]
    curved = [one for one in trials if one["curve"]]
    with style.look():
        figure = style.new_figure(HEIGHT + LEGEND_LINE * -(-len(curved) // 2))
        axis = figure.subplots()
        axis.set_title(title, fontweight="bold")
        axis.set_ylabel("mIoU (%)")
        if curved or not trials:
            axis.set_xlabel("background threshold")
            lines = [_curve(axis, one, trials, varied) for one in curved]
        else:
            lines = [_dots(axis, trials, (varied or ["logit_scale"])[-1])]
        if axis.get_legend_handles_labels()[1]:
            figure.legend(loc="outside lower center", ncols=2)
        best = _best(figure, axis, trials, lines)
        caption = f"{title}: mIoU (%) over the {axis.get_xlabel()}. The star is the best: {best}."
        style.save(figure, path, title=title, caption=caption)


def _curve(axis: Axes, trial: dict[str, Any], trials: Trials, varied: Sequence[str]) -> list[Point]:
    """One line over all thresholds."""
    colour, dash = _look(trial, trials, varied)
    label = ", ".join(f"{SCALES[key]} {trial[key]:g}" for key in varied) or None
    points = [(x, 100 * y) for x, y in zip(THRESHOLDS, trial["curve"], strict=True)]
    axis.plot(*zip(*points, strict=True), color=colour, linestyle=dash, label=label)
    return points


def _look(trial: dict[str, Any], trials: Trials, varied: Sequence[str]) -> tuple[str, Any]:
    """Colour and dash: by the place of its values among those that were tried."""
    places = [sorted({one[key] for one in trials}).index(trial[key]) for key in varied]
    colour, dash = ([*places, 0, 0])[:2]
    return style.COLOURS[colour % len(style.COLOURS)], style.DASHES[dash % len(style.DASHES)]


def _dots(axis: Axes, trials: Trials, scale: str) -> list[Point]:
    """Of data without a background: a dot per trial over the scale that varies."""
    axis.set_xlabel(SCALES[scale])
    points = sorted((one[scale], 100 * one["miou"]) for one in trials if one[scale])
    if len(points) > 1:
        axis.set_xscale("log")
        style.plain_numbers(axis)
    axis.plot(*zip(*points, strict=True), "o", color=style.INK)
    return points


def _best(figure: Figure, axis: Axes, trials: Trials, lines: Sequence[list[Point]]) -> str:
    """A star at the optimum and its numbers; returns them."""
    if not trials or not any(lines):
        return "none"
    x, y = max((point for line in lines for point in line), key=lambda point: point[1])
    said = f"{y:.1f} % at {x:g}"
    axis.margins(y=0.15)
    style.best_of(axis, x, y, style.INK)
    place(figure, axis, [Name(said, x, y, style.INK)], dots=[(x, y)], lines=lines)
    return said
