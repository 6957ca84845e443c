"""A full-size rehearsal without data and without a model: everything but the model is measured.

    python scripts/rehearse.py dataset=voc
    python scripts/rehearse.py dataset=openimages count=500 keep=false
    python scripts/rehearse.py dataset=ade20k engine=ray engine.workers=2 protocol=sclip
    python scripts/rehearse.py dataset=voc count=20 segmenter=patches backbone=clip_vit_b16
    python scripts/rehearse.py simulate=true       64 workers that stumble, by the engine's schedule
    python scripts/rehearse.py cost=true           what the whole suite costs on GPUs, computed

Draws images in the official layout, size and number of a data set below root=DIR, verifies them as
scripts/prepare.py does, and evaluates them with a stand-in for a model. Prints how fast images are
read, how fast a whole pass is, its memory, and what states and records cost; docs/scale.md says
more. The same command goes on where it was killed. Other words are those of run.py.

The report and the record lie in DIR/rehearsal. The record is called rehearsal_NAME, has a key of
its own and says that its scores mean nothing; the report has no scores.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evaluation.launch import build, build_engine, compose_config, output_options
from evaluation.launch.words import Key, command, read_words, run_keys, split_overrides

NAMES = ("voc", "context", "ade20k", "coco_stuff", "openimages")
KEYS = {
    "dataset": Key(None, f"one of {', '.join(NAMES)}", kind=str, among=NAMES),
    "root": Key(None, "the folder; null: data/rehearsal/NAME, with -COUNT for a try", kind=Path),
    "count": Key(None, "so many images only", kind=int, least=1),
    "seed": Key(0, "of the drawings", least=0),
    "keep": Key(True, "false deletes the drawn files at the end; the report stays"),
    "simulate": Key(False, "true only simulates many workers"),
    "cost": Key(False, "true only computes what the suite costs on GPUs"),
}
ELSEWHERE = {"dataset", "output", "labels", "predictions", "save", "force", "logger"}
"""Keys of run.py that mean nothing here: a rehearsal decides them."""
READERS = (1, 2, 4, 8)
READ = 400  # images, of which reading alone is timed


def main(words: Sequence[str] | None = None) -> None:
    """Make, verify, measure, tell."""
    own, others = read_words(__doc__, KEYS, words)
    given, wrong = split_overrides(others, KEYS, run_keys() - ELSEWHERE)
    if wrong:
        raise ValueError(f"{wrong[0]}: expected KEY=VALUE, such as dataset=voc")
    if own["simulate"] or own["cost"]:
        _compute(own)
        return
    if own["dataset"] is None:
        raise ValueError(f"dataset: expected one of {', '.join(NAMES)}, or simulate=true")
    _rehearse(own, given)


def _compute(own: dict[str, Any]) -> None:
    from evaluation.console import console

    if own["simulate"]:
        from rehearsal.simulated import simulation_table

        console.print(simulation_table(seed=own["seed"]))
    if own["cost"]:
        from rehearsal.cost import cost_table

        console.print(cost_table())


def _rehearse(own: dict[str, Any], given: Sequence[str]) -> None:
    name = own["dataset"]
    words = [f"dataset={name}", *_stand_in(given), *given]
    config = compose_config(words)
    setting, engine, output = build(config, words), build_engine(config), output_options(config)
    from rehearsal import folder, make, measure, obtain, report

    from evaluation.console import console, progress, say

    wanted = folder.Wanted(name, own["count"], own["seed"])
    root = own["root"] or Path("data/rehearsal") / "-".join(
        [name, *([str(own["count"])] if own["count"] else [])]
    )
    dataset = make.under(setting.dataset, root)
    setting = replace(setting, dataset=dataset)
    folder.check_root(root, wanted, folder.top_of(dataset))
    load = report.load()
    made = obtain.obtain(make.plan(wanted, dataset))
    reading = [measure.read_alone(setting, READ, workers) for workers in READERS]
    with progress(f"rehearsal of {name}", len(setting.ids)) as advance:
        passed = measure.run_pass(
            setting, engine, root / folder.RESULTS / "records", output.save_every, advance
        )
    found = report.Report(wanted, setting, engine, made, reading, passed, load)
    console.print(report.table(found))
    say("report: ", report.write(found, root))
    if not own["keep"]:
        folder.remove(root, folder.top_of(dataset))
        say(f"{root}: the drawn files are deleted")


def _stand_in(given: Sequence[str]) -> list[str]:
    return [] if any(word.startswith("segmenter=") for word in given) else ["segmenter=stand_in"]


if __name__ == "__main__":
    command(main)
