"""List records with filters, export them as CSV, or run one again.

    python scripts/records.py
    python scripts/records.py folder=results/toy/records method=gem "images>100" sort=-miou
    python scripts/records.py dataset=voc,context iters=1 csv=iters.csv
    python scripts/records.py rerun results/records/toy-gem-tiny-0123456789ab.json
    python scripts/records.py rerun RECORD dataset.root=DIR backbone.weights=FILE

Filters compare a column: = and != with a pattern (* and ?) or patterns between commas, and
< <= > >= with a number. Columns are those of the CSV; the last part of a name will do where
it is unique: iters, temperature. Scores are in percent. Records of another machine are merged by
copying their files into the folder: the key in a name says whether the setting is the same.

A file that is no valid record is listed with the reason, and left out. csv= writes all columns;
texts that a spreadsheet would compute begin with an apostrophe there.

rerun evaluates a record's setting here, says whether each number is the same, and ends with 1 if
one is not. KEY=VALUE tells where the data or the weights lie here, and the device. It writes
nothing, and reads the files that the record names.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.launch.words import Key, command, key_values, read_words

if TYPE_CHECKING:
    from evaluation.records.record import Record
    from evaluation.run.rerun import Difference

KEYS = {
    "sort": Key("created", "a column; -COLUMN: the largest first"),
    "csv": Key(None, "write all columns of the selection to this file", kind=Path),
    "folder": Key(Path("results/records"), "where the records are"),
}
SHOWN = 12  # differences; a record of 171 classes may have hundreds


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words say; the exit code."""
    own, others = read_words(__doc__, KEYS, words)
    if others[:1] != ["rerun"]:
        listing(others, own)
        return 0
    if len(others) < 2:
        raise ValueError("rerun: which record? Give its file")
    return again(Path(others[1]), key_values(others[2:], "dataset.root=DIR"))


def listing(filters: Sequence[str], own: Mapping[str, Any]) -> None:
    """Print what the filters leave, and write it if asked."""
    from evaluation.console import console, note, say
    from evaluation.records.query import read_frame, select, sort
    from evaluation.terminal.record_table import frame_table

    frame, others = read_frame(own["folder"])
    for one in others:
        say(f"no record: {one}")
    frame = sort(select(frame, filters), own["sort"])
    console.print(frame_table(frame))
    if foreign := int(frame["other_code"].notna().sum()):
        note(
            f"{foreign} of {len(frame)} of other code than this one: csv= has the files, other_code"
        )
    if own["csv"]:
        from evaluation.records.spreadsheet import frame_csv
        from evaluation.whole_files import write_text

        write_text(own["csv"], frame_csv(frame))
        say("written: ", own["csv"])


def again(path: Path, moved: Mapping[str, Any]) -> int:
    """Run a record again; 1 if a number is not the same."""
    from evaluation.console import progress, say
    from evaluation.records.record import read_record
    from evaluation.run.rerun import differences, rerun, setting_of
    from evaluation.terminal.record_table import show

    if not path.is_file():
        raise FileNotFoundError(f"rerun: there is no file {path}")
    record = read_record(path)
    setting = setting_of(record, moved)
    with progress(f"{record.names['method']} on {record.names['dataset']}", record.images) as on:
        found = rerun(setting, on)
    show([found], [])
    then, now = (version(one) for one in (record, found))
    say(f"recorded {record.created} by {then}; now {now}")
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
    from evaluation.console import say

    for one in found[:SHOWN]:
        say(f"{one.place}: {_short(one.recorded)} in the record, {_short(one.found)} now")
    if len(found) > SHOWN:
        say(f"and {len(found) - SHOWN} more")
    number = f"{len(found)} value{'s differ' if len(found) > 1 else ' differs'} from"
    same = number if found else "every score and count is the same as"
    say(f"{same} {path}")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


if __name__ == "__main__":
    command(main)
