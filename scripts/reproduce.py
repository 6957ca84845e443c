"""Rebuild the paper's tables: published, ours, difference.

    python scripts/reproduce.py table=4
    python scripts/reproduce.py table=all dataset=toy            the embedded model, and a report
    python scripts/reproduce.py figure=5 dataset=voc dataset.root=DIR backbone.weights=FILE

table: 1 to 6, clearclip, or all; figure: 5. out: the folder of the tables and figures
(results/tables). output: the folder of the records (results/records): a setting whose valid
record is there is not run again, but with force=true. save_every: seconds after which a long pass
saves its counts, to go on if it is killed (120). report: the folder of the page, which is built if
it is given, and with table=all (results/report). Where several methods ran on a data set,
panel-DATASET.png shows what they predict for a few images chosen by a seed.

All other overrides are those of run.py and go to every cell; a dataset or backbone replaces the
cells' own, and the drawn scenes bring the embedded model unless another is named. A row that loses
what tells it from the others, such as its K, has no number. Without backbone=, a file of weights is
for the backbone that a table names first, clip_vit_b16.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))  # run.py is no part of the installed packages

from evaluation.tables.overrides import DRAWN, key_of, value_of
from evaluation.tables.published import names
from evaluation.tables.reproduce import Request, reproduce
from run import MISTAKES, compose_setting, sentence

if TYPE_CHECKING:
    from evaluation.tables.sheet import TableSheet

FILE_WIDTH = 200  # columns of what is printed into a file or a pipe
OWN = ("table", "figure", "out", "output", "report", "force", "save_every")


def parse(overrides: Sequence[str]) -> Request:
    """Sort the overrides. Raises ValueError for those that nobody understands."""
    for one in overrides:
        if not one.partition("=")[1]:
            raise ValueError(f"{one}: expected KEY=VALUE, such as table=4")
        if key_of(one).split(".")[0] == "logger":
            raise ValueError(f"{one}: tables are not logged; log a sweep, run.py -m logger=wandb")
    own = {key: value for key in OWN if (value := value_of(overrides, key)) is not None}
    if not own.keys() & {"table", "figure"}:
        raise ValueError("table: say which, one of " + ", ".join((*names(), "all")))
    if own.get("force", "false") not in {"true", "false"}:
        raise ValueError(f"force={own['force']}: expected true or false")
    chosen = own.get("table", "").split(",")
    chosen += [f"figure{name}" for name in own.get("figure", "").split(",") if name]
    given = tuple(one for one in overrides if key_of(one) not in OWN)
    if value_of(given, "dataset") in DRAWN and not value_of(given, "backbone"):
        given = ("backbone=tiny", *given)
    report = own.get("report", "results/report" if "all" in chosen else "")
    return Request(
        tables=names() if "all" in chosen else tuple(filter(None, chosen)),
        given=given,
        report=Path(report) if report else None,
        out=Path(own.get("out", "results/tables")),
        records=Path(own.get("output", "results/records")),
        force=own.get("force") == "true",
        save_every=_seconds(own.get("save_every", "120")),
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"save_every={text}: expected a positive number of seconds")
    return seconds


def run(request: Request) -> int:
    """Rebuild the tables and print them; returns how many settings failed."""
    found = reproduce(request, compose_setting)
    from evaluation.console import console

    for sheet in found.sheets:
        show(sheet)
    for note in found.notes:
        console.print(f"[bold yellow]note:[/] {note}", highlight=False)
    console.print(f"written: {len(found.files)} files in {request.out}", highlight=False)
    if request.report:
        from evaluation.report.build import build

        for line in build(request.records, request.out, request.report):
            console.print(line, highlight=False, markup=False)
    for failure in found.failed:
        console.print(f"[bold red]failed:[/] {failure}", highlight=False)
    return len(found.failed)


def show(sheet: "TableSheet") -> None:
    """Print a table and all that is said below it."""
    from rich.console import Console

    from evaluation.console import console
    from evaluation.tables.render import footnotes, notes, reasons, to_terminal

    wide = console if console.is_terminal else Console(width=FILE_WIDTH)
    wide.print(to_terminal(sheet))
    for number, reason in enumerate(reasons(sheet), 1):
        console.print(f"[dim]({number})[/] {reason}", highlight=False)
    for mark, text in footnotes(sheet):
        console.print(f"[cyan]\\[{mark}][/] {text}", highlight=False)
    for note in notes(sheet):
        console.print(f"- {note}", highlight=False, markup=False)


def main() -> None:
    """Read the command line and do what it says."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    if run(parse(parser.parse_args().overrides)):
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except MISTAKES as error:
        sys.exit(f"error: {sentence(error)}")
