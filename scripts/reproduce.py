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

All other words are those of run.py and go to every cell; a dataset or backbone replaces the cells'
own, and the drawn scenes bring the embedded model unless another is named. A row from which a word
takes what tells it apart, such as its K, has no number. Without backbone=, a file of weights is for
the backbone that a table names first, clip_vit_b16.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.launch import MISTAKES, compose_setting, sentence
from evaluation.tables.overrides import key_of, value_of
from evaluation.tables.published import load_table, names

if TYPE_CHECKING:
    from evaluation.tables.sheet import Sheet

FILE_WIDTH = 200  # columns of what is printed into a file or a pipe
OWN = ("table", "figure", "out", "output", "report", "force", "save_every")
DRAWN = ("toy", "toy_points")


@dataclass(frozen=True)
class Wish:
    """What the command line asks for."""

    tables: tuple[str, ...]
    given: tuple[str, ...]
    out: Path
    records: Path
    report: Path | None
    force: bool
    save_every: float


def wish_of(words: Sequence[str]) -> Wish:
    """Sort the words of the command line. Raises ValueError for those that nobody understands."""
    for word in words:
        if not word.partition("=")[1]:
            raise ValueError(f"{word}: expected KEY=VALUE, such as table=4")
        if key_of(word).split(".")[0] == "logger":
            raise ValueError(f"{word}: tables are not logged; log a sweep, run.py -m logger=wandb")
    own = {key_of(word): word.partition("=")[2] for word in words if key_of(word) in OWN}
    if not own.keys() & {"table", "figure"}:
        raise ValueError("table: say which, one of " + ", ".join((*names(), "all")))
    if own.get("force", "false") not in {"true", "false"}:
        raise ValueError(f"force={own['force']}: expected true or false")
    tables = [name for text in (own.get("table", ""),) for name in text.split(",") if name]
    figures = [f"figure{name}" for name in own.get("figure", "").split(",") if name]
    chosen = names() if "all" in tables else (*tables, *figures)
    given = [word for word in words if key_of(word) not in OWN]
    if value_of(given, "dataset") in DRAWN and not value_of(given, "backbone"):
        given = ["backbone=tiny", *given]
    report = own.get("report", "results/report" if "all" in tables else None)
    return Wish(
        tables=tuple(chosen),
        given=tuple(given),
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


def reproduce(wish: Wish) -> int:
    """Run what can run, print and write the tables; returns how many settings failed."""
    from evaluation.tables.plan import make_plan, sharing

    compose = sharing(compose_setting)
    plans = [make_plan(load_table(name), wish.given, compose) for name in wish.tables]
    from evaluation.tables.fill import answer
    from evaluation.whole_files import prepare_folder

    for folder in (wish.records, wish.out):
        prepare_folder(folder)
    answers = answer(plans, wish.records, force=wish.force, save_every=wish.save_every)
    from evaluation.console import console
    from evaluation.pictures.predictions import draw_panels
    from evaluation.tables.curves import draw
    from evaluation.tables.render import write_sheet
    from evaluation.tables.sheet import sheet

    written: list[Path] = []
    for plan in plans:
        made = sheet(plan, answers)
        show(made)
        written += [*write_sheet(made, wish.out), *draw(plan, answers, wish.out)]
    able = [setting for setting in answers.records if setting not in answers.why]
    panels, undrawn = draw_panels(able, wish.out)
    written += panels
    for reason in (*answers.sentences, *undrawn):
        console.print(f"[bold yellow]note:[/] {reason}", highlight=False)
    console.print(f"written: {len(written)} files in {wish.out}", highlight=False)
    if wish.report:
        from evaluation.report.build import build

        for line in build(wish.records, wish.out, wish.report):
            console.print(line, highlight=False, markup=False)
    for failure in answers.failed:
        console.print(f"[bold red]failed:[/] {failure}", highlight=False)
    return len(answers.failed)


def show(made: "Sheet") -> None:
    """Print a table and all that is said below it."""
    from rich.console import Console

    from evaluation.console import console
    from evaluation.tables import render as formats

    wide = console if console.is_terminal else Console(width=FILE_WIDTH)
    wide.print(formats.terminal(made))
    for number, reason in enumerate(formats.reasons(made), 1):
        console.print(f"[dim]({number})[/] {reason}", highlight=False)
    for mark, text in formats.footnotes(made):
        console.print(f"[cyan]\\[{mark}][/] {text}", highlight=False)
    for note in (*made.notes, *formats.legend(made)):
        console.print(f"- {note}", highlight=False, markup=False)


def main() -> None:
    """Read the words and do what they say."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE")
    if reproduce(wish_of(parser.parse_args().words)):
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except MISTAKES as error:
        sys.exit(f"error: {sentence(error)}")
