"""Search the background's threshold, and if asked logit scales and temperatures, in one pass.

    python scripts/tune.py dataset=toy dataset.split=tune limit=50
    python scripts/tune.py logit_scales=[50,100] temperature_scales=[0.5,1,2] dataset.split=tune
    python scripts/tune.py dataset=voc dataset.listing=VOCdevkit/.../Segmentation/train.txt

All other words are those of run.py. Writes the choice with its curves and the ids of the samples,
draws the curves with the best marked, and prints the trials, and the overrides that use the best.
Where the best is at the edge of scales that were given, they are extended, a pass for each further
value, three times at most.
Evaluating on samples that a value was tuned on is said in the record.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evaluation.launch import compose_engine, compose_setting
from evaluation.launch.words import Key, command, read_words, split_overrides
from evaluation.setting.identity import fingerprint

SHOWN = 12  # trials of a table; all are in the file
KEYS = {
    "logit_scales": Key((), "what cosines are multiplied by; none: the protocol's"),
    "temperature_scales": Key((), "factors of 1/tau of method=gem; none: the method's"),
    "out": Key(Path("results/tuned"), "folder of the choice and its curves"),
}


def main(words: Sequence[str] | None = None) -> None:
    """Search, write, draw, print."""
    own, others = read_words(__doc__, KEYS, words)
    given, wrong = split_overrides(others, KEYS)
    if wrong:
        raise ValueError(f"{wrong[0]}: expected KEY=VALUE, such as dataset=toy")
    setting = compose_setting(given)
    from evaluation.records.warnings import warnings_of
    from evaluation.whole_files import prepare_folder, write_json

    prepare_folder(own["out"], key="out")
    setting.dataset.check(setting.ids)
    from evaluation.console import note, progress, say
    from evaluation.run.tune import plain, search_on

    name = setting.dataset.card.name
    scales = {key: own[key] for key in ("logit_scales", "temperature_scales")}
    engine = compose_engine(given)
    with progress(f"tuning on {name}", total=len(setting.ids)) as advance:
        trials = search_on(setting, scales, tell=note, advance=advance, engine=engine)
    ids, table = list(setting.ids), plain(trials)
    path = own["out"] / f"{name}-{fingerprint([setting, ids])}.json"
    write_json(path, {"dataset": name, "ids": ids, "trials": table})
    draw(table, path.with_suffix(".png"), f"{name}, {len(ids)} images")
    for warning in warnings_of(setting):
        note(warning)
    show(trials, len(ids), overrides(trials[0], path, name))
    say("written: ", path)
    say("curves: ", path.with_suffix(".png"))


def show(trials: Sequence[Any], images: int, words: Sequence[str]) -> None:
    """Print the trials, the best in bold, and the words for run.py, each on a line of its own."""
    from rich.text import Text

    from evaluation.console import console, literal, say
    from evaluation.terminal.whole_words import fitted, table_of

    table = table_of(
        f"mIoU of {len(trials)} trial{'s' * (len(trials) != 1)} on {images} images (%)"
    )
    table.add_column("logit scale", justify="right")
    table.add_column("options")
    table.add_column("threshold", justify="right")
    table.add_column("mIoU", justify="right")
    for number, one in enumerate(trials[:SHOWN]):
        threshold = "-" if one.background is None else f"{one.background:.2f}"
        cells = (f"{one.logit_scale:g}", one.options, threshold, f"{100 * one.miou:.1f}")
        table.add_row(*(literal(cell, "" if number else "bold") for cell in cells))
    if len(trials) > SHOWN:
        table.add_row(*(Text("…", "dim") for _ in range(4)))
    console.print(fitted(table))
    say("the best is used by run.py with")
    for word in words[:-1]:
        say(f"  {word} \\")
    say(f"  {words[-1]}")


def overrides(best: Any, path: Path, name: str) -> list[str]:
    """The words for run.py that use the best trial."""
    words = [f"protocol.logit_scale={best.logit_scale:g}"]
    if best.background is not None:
        words.append(f"protocol.background={best.background:g}")
    if best.temperature_scale not in {None, 1.0}:
        words.append(f"gem.temperature_scale={best.temperature_scale:g}")
    return [*words, f"'protocol.source=tuned on {name}'", f"protocol.tuned={path}"]


def draw(trials: list[dict[str, Any]], path: Path, title: str) -> None:
    """MIoU over the threshold, a line per trial; without thresholds over the scale that varies."""
    from evaluation.tables.trials import draw_trials

    draw_trials(trials, path, title)


if __name__ == "__main__":
    command(main)
