"""The report of a rehearsal: one small JSON, which is no record, and a table."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rehearsal.folder import RESULTS, Wanted, amount
from rehearsal.measure import Passed, Reading
from rehearsal.obtain import Made
from rich.table import Table

from evaluation.console import literal
from evaluation.records.provenance import code
from evaluation.setting import Setting
from evaluation.setting.identity import describe, public_name
from evaluation.whole_files import write_json


@dataclass(frozen=True)
class Report:
    """What a rehearsal has measured. load: processes that waited for a core, before it began."""

    wanted: Wanted
    setting: Setting
    engine: object
    made: Made
    reading: Sequence[Reading]
    passed: Passed
    load: float


def load() -> float:
    """The mean of the last minute, as the system counts it."""
    return round(os.getloadavg()[0], 1)


def write(report: Report, root: Path) -> Path:
    """Write the JSON below the root; it has no scores."""
    engine = public_name(type(report.engine)).rpartition(".")[2].lower()
    path = root / RESULTS / f"report-{engine}.json"
    write_json(path, _plain(report))
    return path


def _plain(report: Report) -> dict[str, Any]:
    setting = report.setting
    return {
        "what": f"a rehearsal with drawn images in the layout of {report.wanted.dataset}",
        "rehearsal": asdict(report.wanted),
        "segmenter": setting.segmenter.title,
        "protocol": setting.protocol.name,
        "batch_size": setting.batch_size,
        "workers": setting.workers,
        "engine": describe(report.engine),
        "machine": {"cores": os.cpu_count(), "load": report.load, "system": platform.machine()},
        "made": asdict(report.made),
        "reading": [asdict(one) for one in report.reading],
        "pass": asdict(report.passed),
        "code": code(),
    }


def table(report: Report) -> Table:
    """The report as a person reads it."""
    title = f"rehearsal of {report.wanted.dataset}, {report.setting.segmenter.title}"
    shown = Table(title=literal(title), title_justify="left", show_header=False)
    for name, value in (*_made(report), *_reading(report.reading), *_passed(report.passed)):
        shown.add_row(literal(name), literal(value))
    return shown


def _made(report: Report) -> list[tuple[str, str]]:
    made = report.made
    verified = "before" if made.verify is None else f"in {made.verify:.1f} s"
    return [
        ("machine", f"{report.passed.device}, {os.cpu_count()} cores, load {report.load}"),
        ("images", f"{made.images}, {amount(made.size)}"),
        ("made", f"{made.written} files in {made.seconds:.1f} s"),
        *([("masks converted", f"in {made.convert:.1f} s")] if made.convert > 1 else []),
        ("verified", verified),
    ]


def _reading(found: Sequence[Reading]) -> list[tuple[str, str]]:
    return [
        (
            f"reading alone, {one.workers} thread{'s' * (one.workers > 1)}",
            f"{one.images_per_second:.0f} images/s, {one.cpu_ms:.1f} ms of CPU an image",
        )
        for one in found
    ]


def _passed(found: Passed) -> list[tuple[str, str]]:
    cpu = "" if found.cpu_ms is None else f", {found.cpu_ms:.1f} ms of CPU an image"
    return [
        ("whole pass", f"{found.images_per_second:.1f} images/s, {found.seconds:.1f} s{cpu}"),
        ("first batch counted after", f"{found.first_image:.2f} s"),
        ("memory, MiB, at 10 % ... 100 %", " ".join(map(str, found.memory))),
        ("peak memory of a process", f"{found.peak} MiB, {found.processes} processes"),
        ("state file", f"{found.state / 1e3:.0f} kB, written in {1000 * found.write_state:.0f} ms"),
        ("merging states", f"{found.chunks} chunks in {1000 * found.merge:.0f} ms"),
        ("scores of the counts", f"{1000 * found.outcome:.0f} ms"),
        ("record", f"{found.record / 1e3:.0f} kB, written in {1000 * found.write_record:.0f} ms"),
        ("counts", found.counts[:12]),
    ]
