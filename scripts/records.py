"""List records with filters; tables and figures of them; compare two; draw them; run one again.

    python scripts/records.py
    python scripts/records.py folder=results/toy/records method=gem "images>100" sort=-miou
    python scripts/records.py dataset=voc,context iters=1 csv=iters.csv
    python scripts/records.py method=gem format=latex rows=iters columns=temperature_scale
    python scripts/records.py dataset=voc rows=iters out=iters.md plot=iters.pdf
    python scripts/records.py compare RECORD RECORD
    python scripts/records.py panel iters=1,2 dataset.root=DIR out=panel.png
    python scripts/records.py rerun results/records/toy-gem-tiny-0123456789ab.json
    python scripts/records.py rerun RECORD dataset.root=DIR backbone.weights=FILE

Filters compare a column: = and != with a pattern (* and ?) or patterns between commas, and
< <= > >= with a number. Columns are those of the CSV; the last part of a name will do where
it is unique: iters, temperature. Scores are in percent. Records of another machine are merged by
copying their files into the folder: the key in a name says whether the setting is the same.

A file that is no valid record is listed with the reason, and left out. csv= writes all columns;
texts that a spreadsheet would compute begin with an apostrophe there.

rows=, columns=, value=, format=, out= and plot= make a table of scores or a figure of a sweep: of
what differs between the records unless told. One value of each cell; two records in one are an
error that says in what they differ. Bold is the best.

compare shows two records, by file or key, side by side: scores, classes, and, where run.py
save=images has written counts by image, images and the significance of each difference.

panel draws images with the truth and the decision of each record that the filters leave, six at
the most. KEY=VALUE tells where the data or the weights lie here, as for rerun.

rerun evaluates a record's setting here, says whether each number is the same, and ends with 1 if
one is not. KEY=VALUE tells where the data or the weights lie here, and the device. It writes
nothing, and reads the files that the record names.

Each command has keys of its own: python scripts/records.py compare --help
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.launch.words import Key, command, key_values, read_words, unknown

if TYPE_CHECKING:
    from evaluation.records.record import Record
    from evaluation.run.rerun import Difference

FORMATS = ("markdown", "latex", "csv")
FOLDER = Key(Path("results/records"), "where the records are")
KEYS = {
    "list": {
        "sort": Key("created", "a column; -COLUMN: the largest first"),
        "csv": Key(None, "write all columns of the selection to this file", kind=Path),
        "format": Key(None, "print a table of scores", kind=str, among=FORMATS),
        "rows": Key(None, "its rows: an option, or several between commas", kind=str),
        "columns": Key(None, "its columns: an option; null: a column for each score", kind=str),
        "value": Key(None, "its score, the headline unless told", kind=str),
        "decimals": Key(1, "its decimals", least=0),
        "out": Key(None, "write it to this file: .md, .tex or .csv", kind=Path),
        "plot": Key(None, "draw it to this file: .pdf, .png or .svg", kind=Path),
        "folder": FOLDER,
    },
    "panel": {
        "count": Key(5, "how many images are drawn", least=1),
        "seed": Key(0, "chooses them", least=0),
        "ids": Key(None, "these images instead, between commas", kind=str),
        "out": Key(Path("panel.png"), "the picture"),
        "folder": FOLDER,
    },
    "compare": {
        "classes": Key(10, "how many classes are shown", least=0),
        "images": Key(5, "how many gains, and how many losses, of images are shown", least=0),
        "draws": Key(10_000, "of the bootstrap", least=100),
        "seed": Key(0, "of the bootstrap", least=0),
        "csv": Key(None, "write all scores, classes and images to this file", kind=Path),
        "folder": FOLDER,
    },
    "rerun": {},
}
MOVE = re.compile(r"[\w.]+\.(\w+)=")  # of panel: where files lie, which filters nothing
SHOWN = 12  # differences; a record of 171 classes may have hundreds


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words say; the exit code."""
    given = list(sys.argv[1:] if words is None else words)
    name = given.pop(0) if given[:1] and given[0] in KEYS else "list"
    own, others = read_words(__doc__, KEYS[name], given)
    if name == "rerun":
        if not others:
            raise ValueError("rerun: which record? Give its file")
        return again(Path(others[0]), key_values(others[1:], "dataset.root=DIR"))
    {"list": listing, "compare": comparison, "panel": decisions}[name](others, own)
    return 0


def comparison(words: Sequence[str], own: Mapping[str, Any]) -> None:
    """Print two records side by side."""
    for word in words[2:]:
        raise ValueError(unknown(word, KEYS["compare"]))
    if len(words) < 2:
        raise ValueError("compare: which records? Give two files, or the beginnings of two keys")
    from evaluation.terminal.comparison import compare_records

    compare_records((words[0], words[1]), **own)


def listing(filters: Sequence[str], own: Mapping[str, Any]) -> None:
    """Print what the filters leave: a list, or a table or figure of scores; write it if asked."""
    from evaluation.console import console, note, say
    from evaluation.records.query import read_frame, select, sort
    from evaluation.terminal.record_table import frame_table

    frame, others = read_frame(own["folder"])
    frame = sort(select(frame, filters), own["sort"])
    if any(own.get(name) for name in ("format", "rows", "columns", "value", "out", "plot")):
        from evaluation.tables.pivot_files import show_pivot

        show_pivot(frame, own)
    else:
        for one in others:
            say(f"no record: {one}")
        console.print(frame_table(frame))
        if foreign := int(frame["other_code"].notna().sum()):
            note(
                f"{foreign} of {len(frame)} of other code than this one: csv= has the files, "
                "other_code"
            )
    if own["csv"]:
        from evaluation.records.spreadsheet import frame_csv
        from evaluation.whole_files import write_text

        write_text(own["csv"], frame_csv(frame))
        say("written: ", own["csv"])


def decisions(words: Sequence[str], own: Mapping[str, Any]) -> None:
    """Draw images with the decision of each record's setting."""
    from evaluation.run.rerun import MOVABLE
    from evaluation.terminal.decisions import draw_records

    moves = [word for word in words if (found := MOVE.match(word)) and found[1] in MOVABLE]
    filters = [word for word in words if word not in moves]
    ids = own["ids"].split(",") if own["ids"] else []
    draw_records(
        filters=filters, moved=key_values(moves, "dataset.root=DIR"), **{**own, "ids": ids}
    )


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
