"""Two records beside each other on a terminal, and as a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from evaluation.comparison.compare import Comparison, Pair
from evaluation.console import console, literal, note, say
from evaluation.records.flatten import decided, varied_names
from evaluation.records.names import called
from evaluation.records.record import Record
from evaluation.terminal.record_table import percent

if TYPE_CHECKING:
    import pandas as pd

    from evaluation.comparison.bootstrap import Significance


def show_comparison(
    found: Comparison,
    records: tuple[Record, Record],
    *,
    classes: int,
    images: int,
    tested: str = "",
) -> None:
    """Print who is compared, then scores, classes and images.

    classes, images: how many are shown; of images as many gains and as many losses.
    tested: how the differences of the scores were tested.
    """
    for letter, record in zip("AB", records, strict=True):
        data = f"{record.names['dataset']}, {record.images} images"
        model = f"{record.model['name']}, {record.model['weights']}"
        say(f"{letter}: {called(record.names)}, {model}, on {data} ({record.key})")
    for line in _differences(*records):
        say(f"   {line}")
    console.print(_scores(found))
    if found.significance:
        say(tested)
    known = [one for one in found.classes if one.difference is not None]
    console.print(_pairs("class", known[:classes], f"classes by difference, {{}} of {len(known)}"))
    if found.images:
        title = f"images with the largest gains and losses, {{}} of {len(found.images)}"
        console.print(_pairs("image", _extremes(found.images, images), title))
        say(_meaning(records[0]))
    for warning in dict.fromkeys(line for record in records for line in record.warnings):
        note(warning)


def comparison_frame(found: Comparison) -> pd.DataFrame:
    """All scores, classes and images as rows, in percent."""
    import pandas as pd  # late: it takes as long as all the rest

    rows = []
    kinds = {"score": found.scores, "class": found.classes, "image": found.images}
    for kind, pairs in kinds.items():
        for one in pairs:
            tested = found.significance.get(one.name) if kind == "score" else None
            rows.append({
                "kind": kind, "name": one.name, "A": _hundred(one.first),
                "B": _hundred(one.second), "difference": _hundred(one.difference),
                "low": _hundred(tested.low if tested else None),
                "high": _hundred(tested.high if tested else None), "p": tested and tested.p,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _differences(first: Record, second: Record) -> Iterator[str]:
    """The options in which the settings differ."""
    rows = [decided(first), decided(second)]
    for name in varied_names(rows):
        one, other = ("-" if row.get(name) is None else row[name] for row in rows)
        yield f"{name}: {one} (A), {other} (B)"


def _extremes(pairs: Sequence[Pair], count: int) -> list[Pair]:
    """The first that are gains, the last that are losses; images are sorted by difference."""
    gains = [one for one in pairs if (one.difference or 0.0) > 0]
    losses = [one for one in pairs if (one.difference or 0.0) < 0]
    return [*gains[:count], *losses[max(len(losses) - count, 0) :]]


def _scores(found: Comparison) -> Table:
    table = _table("score", "scores (%)")
    if found.significance:
        table.add_column("95 % interval", justify="right", no_wrap=True)
        table.add_column("p", justify="right", no_wrap=True)
    for one in found.scores:
        tested = _tested(found.significance.get(one.name)) if found.significance else []
        table.add_row(*_cells(one), *tested)
    return table


def _tested(one: Significance | None) -> list[str]:
    if one is None:
        return ["-", "-"]
    return [f"{_signed(one.low)} to {_signed(one.high)}", f"{one.p:.4f}"]


def _pairs(heading: str, pairs: Sequence[Pair], title: str) -> Table:
    table = _table(heading, f"{title.format(len(pairs))} (%)")
    for one in pairs:
        table.add_row(*_cells(one))
    return table


def _table(heading: str, title: str) -> Table:
    table = Table(title=literal(title), title_justify="left")
    table.add_column(heading, overflow="fold")
    for name in ("A", "B", "B - A"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cells(one: Pair) -> tuple[Text | str, ...]:
    difference = "-" if one.difference is None else _signed(one.difference)
    return literal(one.name), percent(one.first), percent(one.second), difference


def _signed(share: float) -> str:
    """In percent, with its sign; what rounds to 0 has a plus."""
    return f"{round(100 * share, 2) + 0.0:+.2f}"


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _meaning(record: Record) -> str:
    if "matrix" in record.counts:
        return "of an image: the mean IoU over the labels that its truth shows"
    return "of an image: the IoU of the points of its classes with a yes-point"
