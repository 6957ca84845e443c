"""The whole page: read, predict, write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evaluation.console import visible
from evaluation.report.entry import Entry, read_entries
from evaluation.report.page import Content, render
from evaluation.report.pictures import figures, fragments
from evaluation.whole_files import write_text


def build(
    records: Path,
    tables: Path,
    out: Path,
    *,
    more: Path | None = None,
    images: int = 12,
    seed: int = 0,
) -> list[str]:
    """Write ``index.html`` into ``out``; returns lines that say what is in it.

    records: their folder. tables: of the tables and figures; more: another folder of figures.
    images: predictions chosen by the seed, beside the worst and the best; 0 for no predictions.
    """
    entries, unread = read_entries(records)
    browser, apology = _predictions(entries, count=images, seed=seed)
    found, unfit = fragments(tables)
    drawn, undrawn = figures([tables, *([more] if more else [])])
    content = Content(
        entries=entries,
        unread=unread,
        tables=found,
        figures=drawn,
        browser=browser,
        apology=apology,
    )
    path = out / "index.html"
    write_text(path, render(content))
    missing = [] if browser else [f"predictions: {apology}"]
    foreign = [f"no record: {name}" for name in unread]
    size = path.stat().st_size / 1e6
    left_out = [f"left out: {name}" for name in (*unfit, *undrawn)]
    said = f"report: {path} ({len(entries)} records, {size:.1f} MB)"
    return [*missing, *foreign, *left_out, said]


def _predictions(
    entries: Sequence[Entry], *, count: int, seed: int
) -> tuple[dict[str, Any] | None, str]:
    """What the browser of predictions shows, or None and why."""
    if not count:
        return None, "left out with images=0"
    from evaluation.report.predictions import browser

    try:
        return browser(entries, count=count, seed=seed), "there are no records of masks"
    except ValueError as error:  # weights that are not on this machine, say
        return None, visible(f"could not be computed here: {error}")
