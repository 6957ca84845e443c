"""List records with filters, export them as CSV, or run one again.

    python scripts/records.py                                  results/records as a table
    python scripts/records.py dataset=voc,context method=gem "images>100" --sort=-miou
    python scripts/records.py iters=1 --csv iters.csv
    python scripts/records.py rerun results/records/toy-gem-tiny-0123456789ab.json
    python scripts/records.py rerun RECORD dataset.root=DIR backbone.weights=FILE

Filters compare a column: = and != with a pattern (* and ?) or patterns between commas, and
< <= > >= with a number. Columns are those of the CSV; the last part of a name will do where
it is unique: iters, temperature. Scores are in percent. Records of another machine are merged by
copying their files into the folder: the key in a name says whether the setting is the same.

rerun evaluates a record's setting here, says whether each number is the same, and ends with 1 if
one is not. KEY=VALUE tells where the data or the weights lie here, and the device.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from evaluation.records.record import Record
    from evaluation.run.rerun import Difference

SHOWN = 12  # differences; a record of 171 classes may have hundreds


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("words", nargs="*", metavar="FILTER", help="or: rerun RECORD KEY=VALUE ...")
    parser.add_argument("--folder", type=Path, default=Path("results/records"))
    parser.add_argument("--sort", default="created", help="a column; -COLUMN: the largest first")
    parser.add_argument("--csv", type=Path, help="write all columns to this file")
    return parser.parse_intermixed_args(words)


def main(words: list[str] | None = None) -> int:
    """Do what the words say; the exit code."""
    args = arguments(words)
    if args.words[:1] == ["rerun"]:
        return again(args.words[1:])
    from evaluation.console import console
    from evaluation.records.query import read_frame, select, sort
    from evaluation.terminal.record_table import frame_table

    frame, others = read_frame(args.folder)
    if others:
        console.print(f"not records: {', '.join(others)}", markup=False, highlight=False)
    frame = sort(select(frame, args.words), args.sort)
    console.print(frame_table(frame))
    if args.csv:
        from evaluation.whole_files import write_text

        write_text(args.csv, frame.to_csv(index=False))
        console.print(f"written: {args.csv}", markup=False, highlight=False)
    return 0


def again(words: list[str]) -> int:
    """Run a record again; 1 if a number is not the same."""
    if not words:
        raise ValueError("rerun: which record? Give its file")
    if wrong := [word for word in words[1:] if not word.partition("=")[2]]:
        raise ValueError(f"{wrong[0]}: expected KEY=VALUE, such as dataset.root=DIR")
    pairs = (word.split("=", 1) for word in words[1:])
    moved: dict[str, Any] = {key: yaml.safe_load(value) for key, value in pairs}
    from evaluation.console import console, progress
    from evaluation.records.record import read_record
    from evaluation.run.rerun import differences, rerun, setting_of

    path = Path(words[0])
    record = read_record(path)
    setting = setting_of(record, moved)
    with progress(f"{record.names['method']} on {record.names['dataset']}", record.images) as on:
        found = rerun(setting, on)
    from evaluation.terminal.record_table import show

    show([found], [])
    then, now = (version(one) for one in (record, found))
    console.print(f"recorded {record.created} by {then}; now {now}", markup=False, highlight=False)
    wrong_numbers = differences(record, found)
    report(wrong_numbers, path)
    return 1 if wrong_numbers else 0


def version(record: "Record") -> str:
    """Which code made a record: its commit, and its hash if the tree was dirty."""
    commit = f"commit {str(record.code['commit'])[:12]}"
    changed = f" changed to {record.hashes.get('code')}" if record.code["dirty"] else ""
    return commit + changed


def report(found: list["Difference"], path: Path) -> None:
    """Say that all is the same, or what is not."""
    from evaluation.console import console

    for one in found[:SHOWN]:
        console.print(f"{one.place}: {_short(one.recorded)} in the record, {_short(one.found)} now")
    if len(found) > SHOWN:
        console.print(f"and {len(found) - SHOWN} more")
    number = f"{len(found)} value{'s differ' if len(found) > 1 else ' differs'} from"
    same = number if found else "every score and count is the same as"
    console.print(f"{same} {path}", markup=False, highlight=False)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
