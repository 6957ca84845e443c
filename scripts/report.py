"""Build the report: one HTML page of all records, which opens without server or network.

    python scripts/report.py                          results/records -> results/report/index.html
    python scripts/report.py --records outputs/demo/records --out outputs/demo/report

Tables and figures of results/tables are included where they are there. The models of one data set
whose images are here run again on some of them, to show their best and worst predictions;
`--images 0` leaves predictions out.
"""

import argparse
import sys
from pathlib import Path


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


def main(words: list[str] | None = None) -> None:
    """Build it and say where it is."""
    args = arguments(words)
    from evaluation.report.build import build

    for line in build(
        args.records, args.tables, args.out, more=args.figures, images=args.images, seed=args.seed
    ):
        print(line)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
