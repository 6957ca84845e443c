"""How long commands take before they compute: imports, a known record, the first images.

Each row is a process of its own, and the rows take turns. Shown is the best of the rounds: what
another process takes from this one only makes it longer. Drawn scenes and the embedded model.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from timing.clock import Timing

ROOT = Path(__file__).parents[2]
IMPORTS = {
    "python": "pass",
    "import torch": "import torch",
    "import torchvision": "import torchvision",
    "import timm": "import timm",
    "import torchmetrics": "import torchmetrics",
    "import open_clip": "import open_clip",
    "open_clip as gem imports it": "from gem.backbones.known import load_open_clip as f; f()",
}
PHASES = "from timing.phases import report; report()"


@dataclass(frozen=True)
class Spent:
    """Seconds until something was done: on the clock, and of all cores."""

    wall: float
    cpu: float


def start_table(timing: Timing) -> Table:
    """Measure and show."""
    best: dict[str, Spent] = {}
    with tempfile.TemporaryDirectory(prefix="gem-start-") as folder:
        known = _run(folder, "limit=5")
        _process(known)  # the record is there from now on
        for _ in range(timing.rounds):
            for row, code in IMPORTS.items():
                _keep(best, row, _process([sys.executable, "-c", code])[0])
            _keep(best, "run.py, the record is there", _process(known)[0])
            _keep(best, "run.py force=true limit=5", _process([*known, "force=true"])[0])
            for row, spent in first_images(folder).items():
                _keep(best, row, spent)
    table = Table(title=f"Start, the best of {timing.rounds}", title_justify="left")
    for heading in ("", "seconds", "CPU seconds"):
        table.add_column(heading, justify="right" if heading else "left")
    for row, spent in best.items():
        table.add_row(row, f"{spent.wall:.2f}", f"{spent.cpu:.2f}")
    return table


def first_images(folder: str) -> dict[str, Spent]:
    """What `timing.phases` reports of an evaluation, each since the process was started."""
    words = _words(folder, "limit=8", "force=true")
    begun = time.monotonic()
    _, said = _process([sys.executable, "-c", PHASES, *words])
    reported = [line.split("\t") for line in said.splitlines() if line.count("\t") == 2]
    return {f"- {what}": Spent(float(at) - begun, float(cpu)) for what, at, cpu in reported}


def _run(folder: str, *words: str) -> list[str]:
    return [sys.executable, "run.py", *_words(folder, *words)]


def _words(folder: str, *words: str) -> list[str]:
    return [f"output={folder}", f"hydra.run.dir={folder}/hydra", *words]


def _process(command: list[str]) -> tuple[Spent, str]:
    """What a command took, and what it printed. Raises OSError if it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    found = [str(ROOT), str(ROOT / "scripts"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, found))}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    after, end = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    if done.returncode:
        raise OSError(f"{command[1]}: {done.stderr.strip()}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(end - start, cpu), done.stdout


def _keep(best: dict[str, Spent], row: str, found: Spent) -> None:
    """The smaller of each."""
    known = best.get(row, found)
    best[row] = Spent(min(known.wall, found.wall), min(known.cpu, found.cpu))
