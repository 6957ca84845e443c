"""Weights & Biases as a tracker. This module does not import wandb: a process of its own does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.console import say
from evaluation.places import ROOT
from evaluation.whole_files import write_json
from gem.options import Positive, options

if TYPE_CHECKING:
    from evaluation.records.record import Record

IMPORT_SECONDS = 60.0  # to import and to leave, on a slow disk


@options
class Wandb:
    """One run per record, and for several records one more with their table; in one group.

    project: the name of the project. group: of the runs; the name of the sweep if null. tags: of
    the runs. init_timeout, finish_timeout: seconds that a run may take to start, and to be logged
    and end. Entity, mode and directory are wandb's own settings (WANDB_MODE=offline).

    wandb runs in a process of its own, which is killed when it takes too long: it cannot ask for
    a login on the terminal, hold the exit of ours, or leave threads and handlers here.
    """

    project: str = "gem-bench"
    group: str | None = None
    tags: tuple[str, ...] = ()
    init_timeout: Positive = 20.0
    finish_timeout: Positive = 60.0

    def log(
        self, records: Sequence[tuple[Record, Path]], *, group: str = "", panel: Path | None = None
    ) -> None:
        """Log records and say where. Raises RuntimeError if wandb fails, TimeoutError if it hangs.

        The first failure ends it: what was logged before stays logged.
        """
        order = {
            "tracker": asdict(self),
            "records": [str(path.absolute()) for _, path in records],
            "group": self.group or group,
            "panel": str(panel.absolute()) if panel else None,
        }
        limit = IMPORT_SECONDS + (1 + len(records)) * (
            patience(self.init_timeout) + patience(self.finish_timeout)
        )
        if places := _upload(order, limit):
            several = f"{len(places)} runs, the last: " if len(places) > 1 else ""
            say(f"wandb: {several}{places[-1]}")


def patience(seconds: float) -> float:
    """How long to wait for a call that promises to end within ``seconds`` before giving it up."""
    return 1.5 * seconds + 1


def _upload(order: dict[str, Any], limit: float) -> list[str]:
    """Where the runs are, once the process of `evaluation.tracking.wandb_process` is done.

    All goes through files: a pipe would stay open as long as wandb's service process lives.
    """
    with tempfile.TemporaryDirectory(prefix="gem-wandb-") as name:
        folder = Path(name)
        write_json(folder / "order.json", order)
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        with (folder / "log").open("w") as log:
            try:
                done = subprocess.run(
                    [sys.executable, "-P", "-m", "evaluation.tracking.wandb_process", name],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=limit, check=False,
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
                )  # fmt: skip
            except subprocess.TimeoutExpired as error:
                raise TimeoutError(f"wandb took more than {limit:.0f} seconds") from error
        answer = folder / "answer.json"
        content = json.loads(answer.read_text(encoding="utf-8")) if answer.is_file() else {}
        if "error" in content or not content:
            log_lines = (folder / "log").read_text(errors="replace").splitlines()
            last = log_lines[-1] if log_lines else "nothing said"
            ended = f"its process ended with {done.returncode}: {last}"
            raise RuntimeError(content.get("error", ended))
        return list(content["places"])
