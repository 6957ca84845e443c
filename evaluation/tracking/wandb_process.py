"""The process that talks to wandb, started by `evaluation.tracking.wandb` with a folder.

The folder holds order.json; answer.json is written there: where the runs are, or what failed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from evaluation.records.flatten import ablation
from evaluation.records.names import called
from evaluation.records.record import Record, read_record
from evaluation.tracking.wandb import Wandb, patience
from evaluation.whole_files import write_json

EXIT_SECONDS = 5.0  # for wandb's own hooks at the exit, when all is done
Logged = Sequence[tuple[Record, Path]]


def main(folder: Path) -> None:
    """Do what order.json says."""
    answer = folder / "answer.json"
    try:
        order = json.loads((folder / "order.json").read_text(encoding="utf-8"))
        records = [(read_record(Path(path)), Path(path)) for path in order["records"]]
        panel = Path(order["panel"]) if order["panel"] else None
        uploader = Uploader(Wandb(**order["tracker"]), group=order["group"], answer=answer)
        write_json(answer, {"places": uploader.upload(records, panel)})
    except Exception as error:  # noqa: BLE001 it is told to the process that waits
        write_json(answer, {"error": str(error) or type(error).__name__})
    last = Timer(EXIT_SECONDS, os._exit, [0])
    last.daemon = True
    last.start()


class Uploader:
    """Runs of one group; ``answer`` is the file that a hang is told in."""

    def __init__(self, options: Wandb, *, group: str, answer: Path) -> None:
        self.options, self.group, self.answer = options, group, answer
        self.places: list[str] = []

    def upload(self, records: Logged, panel: Path | None) -> list[str]:
        """One run per record; the table of several is a run of its own. Returns where to look."""
        alone = len(records) == 1
        for record, path in records:
            with self._run(called(record.names), "setting", _config(record)) as run:
                _log_record(run, record, path)
                if alone:
                    _log_ablation(run, [record], panel)
        if not alone:
            name = f"table of {self.group or 'records'}"
            with self._run(name, "ablation", {}) as run:
                _log_ablation(run, [record for record, _ in records], panel)
        return self.places

    @contextmanager
    def _run(self, name: str, kind: str, config: dict[str, Any]) -> Iterator[Any]:
        import wandb

        options = self.options
        with self._watched(options.init_timeout, f"{name} did not start"):
            run = wandb.init(
                project=options.project,
                group=self.group or None,
                tags=options.tags,
                name=name,
                job_type=kind,
                config=config,
                settings=wandb.Settings(
                    init_timeout=options.init_timeout,
                    finish_timeout=options.finish_timeout,
                    finish_timeout_raises=True,
                    silent=True,
                    console="off",
                    x_disable_stats=True,  # of this process, which computes nothing
                ),
            )
        with self._watched(options.finish_timeout, f"{name} did not finish"):
            yield run
            run.finish()
        if run.settings.mode != "disabled":
            self.places.append(run.url or f"wandb sync {Path(run.dir).parent}")

    @contextmanager
    def _watched(self, seconds: float, failure: str) -> Iterator[None]:
        """End this process if the body is not done in time: a hanging call cannot be stopped."""

        def give_up() -> None:
            write_json(self.answer, {"error": f"{failure} in {patience(seconds):.0f} seconds"})
            os._exit(1)

        timer = Timer(patience(seconds), give_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _config(record: Record) -> dict[str, Any]:
    """The setting, and beside it what else identifies the record."""
    about = {"key": record.key, "names": record.names, "hashes": record.hashes, "code": record.code}
    return {**record.setting, "record": about | {"images": record.images, "cost": record.cost}}


def _log_record(run: Any, record: Record, path: Path) -> None:
    """Scores as summary, classes as a table, the file as an artifact."""
    import wandb

    scores = {name: value for name, value in record.scores.items() if value is not None}
    run.summary.update(scores | {"images": record.images, **record.cost})
    classes = [list(item) for item in record.per_class.items()]
    run.log({"classes": wandb.Table(columns=["class", "score"], data=classes)})
    artifact = wandb.Artifact(f"record-{record.key}", type="record")
    artifact.add_file(str(path))
    run.log_artifact(artifact)


def _log_ablation(run: Any, records: Sequence[Record], panel: Path | None) -> None:
    """The table of the options that differ, a plot of the headline over them, and the picture."""
    import wandb

    columns, rows = ablation(records)
    varied, headline = columns[: columns.index("images")], columns[columns.index("images") + 1]
    table = wandb.Table(columns=list(columns), data=rows)
    logged: dict[str, Any] = {"ablation": table}
    for option in varied:
        values = [row[columns.index(option)] for row in rows]
        numeric = all(isinstance(value, int | float) for value in values)
        plot = wandb.plot.line if numeric else wandb.plot.bar
        logged[f"{headline} over {option}"] = plot(table, option, headline, title=option)
    if panel:
        logged["panel"] = wandb.Image(str(panel))
    run.log(logged)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
