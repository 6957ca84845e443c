"""Rebuild the paper's tables: published, ours, difference.

    python scripts/reproduce.py table=4
    python scripts/reproduce.py table=field                      the field under one protocol
    python scripts/reproduce.py table=field protocol=sclip       under another one
    python scripts/reproduce.py table=protocols method=clip      one method under every protocol
    python scripts/reproduce.py table=all dataset=toy            the embedded model, and a report
    python scripts/reproduce.py table=all engine=ray             on every GPU
    python scripts/reproduce.py figure=5 dataset=voc dataset.root=DIR backbone.weights=FILE

All other overrides are those of run.py and go to every cell; a dataset or backbone replaces the
cells' own, and the drawn scenes bring the embedded model unless another is named. A row that loses
what tells it from the others, such as its K, has no number. Without backbone=, a file of weights is
for the backbone that a table names first, clip_vit_b16.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.launch import compose_engine
from evaluation.launch.many import Composer
from evaluation.launch.words import Key, command, read_words, split_overrides
from evaluation.tables.overrides import DRAWN, key_of, value_of
from evaluation.tables.published import names
from evaluation.tables.reproduce import Request, reproduce

if TYPE_CHECKING:
    from evaluation.tables.sheet import TableSheet

TABLES = Path("results/tables")
KEYS = {
    "table": Key("", "1 to 6, clearclip, field, protocols, several between commas, or all"),
    "figure": Key("", "5"),
    "out": Key(None, "the folder of the tables; null: in results/tables, by data and model", Path),
    "output": Key(Path("results/records"), "the folder of the records"),
    "report": Key(None, "the folder of the page; results/report with table=all", kind=Path),
    "force": Key(default=False, says="run again what has a valid record"),
    "reuse": Key(default=False, says="take records of other code as they are"),
    "save_every": Key(120.0, "seconds after which a long pass saves its counts", least=0.001),
}


def parse(words: Sequence[str] | None = None) -> Request:
    """Sort the words. Raises ValueError for those that nobody understands."""
    own, others = read_words(__doc__, KEYS, words)
    for word in others:
        if key_of(word).split(".")[0] == "logger":
            raise ValueError(f"{word}: tables are not logged; log a sweep, run.py -m logger=wandb")
    given, lost = split_overrides(others, KEYS)
    if lost:
        raise ValueError(f"{lost[0]}: expected KEY=VALUE, such as table=4")
    chosen = [
        *own["table"].split(","),
        *(f"figure{name}" for name in own["figure"].split(",") if name),
    ]
    if not any(chosen):
        raise ValueError("table: say which, one of " + ", ".join((*names(), "all")))
    if value_of(given, "dataset") in DRAWN and not value_of(given, "backbone"):
        given = ["backbone=tiny", *given]
    every = "all" in chosen
    return Request(
        tables=names() if every else tuple(filter(None, chosen)),
        given=tuple(given),
        report=own["report"] or (Path("results/report") if every else None),
        out=own["out"] or TABLES / folder_of(given),
        records=own["output"],
        force=own["force"],
        reuse=own["reuse"],
        save_every=own["save_every"],
        engine=compose_engine(given),
    )


def folder_of(given: Sequence[str]) -> str:
    """Where the tables of given data and models go, so that no others are overwritten.

    ``toy-tiny``; a file of weights by its name; empty where every cell has its own.
    """
    weights = value_of(given, "backbone.weights") or ""
    named = [value_of(given, "dataset"), value_of(given, "backbone")]
    named += [value_of(given, "backbone.model"), Path(weights).stem]
    parts = [Path(one).name for one in named if one]
    return re.sub(r"[^\w.-]+", "_", "-".join(parts))


def run(request: Request) -> int:
    """Rebuild the tables and print them; returns how many settings failed."""
    found = reproduce(request, Composer())
    from rich.text import Text

    from evaluation.console import note, say

    for sheet in found.sheets:
        show(sheet)
    for sentence in found.notes:
        note(sentence)
    say(f"written: {len(found.files)} files in {request.out}")
    if request.report:
        from evaluation.report.build import build

        for line in build(request.records, request.out, request.report):
            say(line)
    for failure in found.failed:
        say(Text("failed: ", "bold red"), failure)
    return len(found.failed)


def show(sheet: "TableSheet") -> None:
    """Print a table and all that is said below it."""
    from rich.text import Text

    from evaluation.console import console, say
    from evaluation.tables.render import footnotes, notes, reasons, to_terminal
    from evaluation.terminal.whole_words import fitted

    console.print(fitted(to_terminal(sheet)))
    for number, reason in enumerate(reasons(sheet), 1):
        say(Text(f"({number}) ", "dim"), reason)
    for mark, text in footnotes(sheet):
        say(Text(f"[{mark}] ", "cyan"), text)
    for note in notes(sheet):
        say(f"- {note}")


def main() -> int:
    """Read the command line and do what it says; 1 if a setting failed."""
    return int(run(parse()) > 0)


if __name__ == "__main__":
    command(main)
