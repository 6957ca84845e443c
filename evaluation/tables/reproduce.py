"""Rebuild tables: plan their cells, fill them with records, write every format and figure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.engines.engine import Engine
from evaluation.tables.cells import plan_table
from evaluation.tables.match import Compose
from evaluation.tables.published import load_table

if TYPE_CHECKING:
    from evaluation.tables.sheet import TableSheet


@dataclass(frozen=True)
class Request:
    """What is asked for.

    tables: names of published tables. given: the user's overrides, for every cell.
    out, records: folders of the tables and of the records. report: the folder of the page, if any.
    force, reuse, save_every, engine: see `run_sweep`.
    """

    tables: tuple[str, ...]
    given: tuple[str, ...]
    out: Path
    records: Path
    report: Path | None
    force: bool
    reuse: bool
    save_every: float
    engine: Engine


@dataclass(frozen=True)
class Rebuilt:
    """Tables and files that were written, what a reader must know, and what failed."""

    sheets: list[TableSheet]
    files: list[Path]
    notes: list[str]
    failed: list[str]


def reproduce(request: Request, compose: Compose) -> Rebuilt:
    """Run what can run and write the tables; ``compose`` makes a setting of overrides.

    Raises what ``compose`` raises for overrides that do not fit, before anything is run.
    """
    given, composed = request.given, cache(compose)
    plans = [plan_table(load_table(name), given, composed) for name in request.tables]
    # Imports torch: mistakes are answered before.
    from evaluation.pictures.predictions import draw_panels
    from evaluation.tables.curves import draw
    from evaluation.tables.fill import fill_tables
    from evaluation.tables.render import write_sheet
    from evaluation.tables.sheet import make_sheet
    from evaluation.whole_files import prepare_folder

    records, out = request.records, request.out
    prepare_folder(records)
    prepare_folder(out, key="out")
    results = fill_tables(
        plans,
        records,
        force=request.force,
        reuse=request.reuse,
        save_every=request.save_every,
        engine=request.engine,
    )
    sheets = [make_sheet(plan, results) for plan in plans]
    files = [path for sheet in sheets for path in write_sheet(sheet, out)]
    files += [path for plan in plans for path in draw(plan, results, out)]
    able = [setting for setting in results.records if setting not in results.why]
    panels, undrawn = draw_panels(able, out)
    return Rebuilt(sheets, [*files, *panels], [*results.sentences, *undrawn], results.failed)
