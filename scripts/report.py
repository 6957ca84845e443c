"""Build the report: one HTML page of all records, which opens without server or network.

    python scripts/report.py                          results/records -> results/report/index.html
    python scripts/report.py --records outputs/demo/records --out outputs/demo/report

Tables and figures of results/tables are included where they are there. For records of the drawn
scenes the models run again on all scenes, to show their best and worst predictions;
`--images 0` leaves predictions out.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evaluation.report.entry import Entry


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--records", type=Path, default=Path("results/records"), help="folder")
    parser.add_argument("--tables", type=Path, default=Path("results/tables"), help="folder")
    parser.add_argument("--figures", type=Path, help="another folder of PNG and SVG files")
    parser.add_argument("--out", type=Path, default=Path("results/report"), help="folder")
    parser.add_argument("--images", type=int, default=12, help="predictions chosen by the seed")
    parser.add_argument("--seed", type=int, default=0, help="which predictions are shown")
    return parser.parse_args(words)


def predictions(
    entries: "Sequence[Entry]", *, count: int, seed: int
) -> tuple[dict[str, Any] | None, str]:
    """What the browser of predictions shows, or None and why."""
    if not count:
        return None, "left out with --images 0"
    from evaluation.report.scenes import browser

    try:
        return browser(entries, count=count, seed=seed), "there are no records of the drawn scenes"
    except (ValueError, OSError) as error:  # weights that are not on this machine, say
        return None, f"could not be computed here: {error}"


def main(words: list[str] | None = None) -> None:
    """Read, predict, write."""
    args = arguments(words)
    from evaluation.atomic import write_text
    from evaluation.report.entry import read_entries
    from evaluation.report.page import Content, render
    from evaluation.report.pictures import figures, fragments

    entries, unread = read_entries(args.records)
    browser, apology = predictions(entries, count=args.images, seed=args.seed)
    content = Content(
        entries=entries,
        unread=unread,
        tables=fragments(args.tables),
        figures=figures([args.tables, *([args.figures] if args.figures else [])]),
        browser=browser,
        apology=apology,
    )
    path = args.out / "index.html"
    write_text(path, render(content))
    if browser is None:
        print(f"predictions: {apology}")
    for name in unread:
        print(f"no record: {name}")
    print(f"{len(entries)} records, {path.stat().st_size / 1e6:.1f} MB: {path}")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
