"""Search the background's threshold, and if asked logit scales and temperatures, in one pass.

    python scripts/tune.py dataset=toy dataset.split=tune limit=50
    python scripts/tune.py logit_scales=[50,100] temperature_scales=[0.5,1,2] dataset.split=tune
    python scripts/tune.py dataset=voc dataset.listing=VOCdevkit/.../Segmentation/train.txt

All other words are those of run.py. Writes the choice with its curves and the ids of the samples,
draws the curves, and prints the overrides that use the choice. Where the best is at the edge of
scales that were given, they are extended, a pass for each further value, three times at most.
Evaluating on samples that a value was tuned on is said in the record.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.launch import compose_engine, compose_setting
from evaluation.launch.words import Key, command, read_words, split_overrides
from evaluation.setting.identity import fingerprint

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
    say(f"best mIoU {100 * trials[0].miou:.1f} % on {len(ids)} images with")
    say("  " + " ".join(overrides(trials[0], path, name)))
    say("written: ", path)
    say("curves: ", path.with_suffix(".png"))


def overrides(best: Any, path: Path, name: str) -> list[str]:
    """The words for run.py that use the best trial."""
    words = [f"protocol.logit_scale={best.logit_scale:g}"]
    if best.background is not None:
        words.append(f"protocol.background={best.background:g}")
    if best.temperature_scale not in {None, 1.0}:
        words.append(f"gem.temperature_scale={best.temperature_scale:g}")
    return [*words, f"'protocol.source=tuned on {name}'", f"protocol.tuned={path}"]


def draw(trials: list[dict[str, Any]], path: Path, title: str) -> None:
    """MIoU against the threshold, one line per trial that has a curve."""
    from matplotlib.figure import Figure

    from evaluation.measure.thresholds import THRESHOLDS
    from evaluation.whole_files import write_whole

    figure = Figure(figsize=(6, 4), layout="constrained", dpi=150)
    axis = figure.subplots()
    for trial in trials:
        label = f"logits x {trial['logit_scale']:g} {trial['options']}"
        if trial["curve"]:
            axis.plot(THRESHOLDS, [100 * value for value in trial["curve"]], label=label)
    axis.set(xlabel="background threshold", ylabel="mIoU (%)", title=title)
    axis.legend(fontsize=7)
    write_whole(path, partial(figure.savefig, format="png"))


if __name__ == "__main__":
    command(main)
