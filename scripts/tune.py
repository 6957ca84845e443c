"""Search the background's threshold, and if asked logit scales and temperatures, in one pass.

    python scripts/tune.py dataset=toy dataset.split=tune
    python scripts/tune.py --logit-scales 50 100 --temperature-scales 0.5 1 2 dataset=toy ...
    python scripts/tune.py dataset=voc dataset.listing=VOCdevkit/.../Segmentation/train.txt

The words after the options are those of run.py. Writes the choice with its curves and the ids of
the samples, draws the curves, and prints the overrides that use the choice. Evaluating on samples
that a value was tuned on is said in the record.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from evaluation.launch import MISTAKES, compose_setting, sentence
from evaluation.setting.identity import fingerprint


def arguments() -> argparse.Namespace:
    """Read the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("overrides", nargs="*", help="as for run.py")
    parser.add_argument("--logit-scales", type=float, nargs="+", default=[])
    parser.add_argument("--temperature-scales", type=float, nargs="+", default=[])
    parser.add_argument("--out", type=Path, default=Path("results/tuned"), help="folder")
    return parser.parse_intermixed_args()


def main() -> None:
    """Search, write, draw, print."""
    args = arguments()
    setting = compose_setting(args.overrides)
    from evaluation.records.warnings import warnings_of
    from evaluation.whole_files import prepare_folder, write_json

    prepare_folder(args.out)
    setting.dataset.check(setting.ids)
    from evaluation.console import console, progress
    from evaluation.run.tune import plain, search

    name = setting.dataset.card.name
    with progress(f"tuning on {name}", total=len(setting.ids)) as advance:
        trials = search(
            setting,
            logit_scales=args.logit_scales,
            temperature_scales=args.temperature_scales,
            advance=advance,
        )
    ids, table = list(setting.ids), plain(trials)
    content = {"dataset": name, "ids": ids, "trials": table}
    path = args.out / f"{name}-{fingerprint([setting, ids])}.json"
    write_json(path, content)
    draw(table, path.with_suffix(".png"), f"{name}, {len(setting.ids)} images")
    for warning in warnings_of(setting):
        console.print(f"[bold yellow]note:[/] {warning}")
    console.print(f"best mIoU {100 * trials[0].miou:.1f} % on {len(setting.ids)} images with")
    console.print("  " + " ".join(overrides(trials[0], path, name)), highlight=False)
    console.print(f"written: {path}\ncurves: {path.with_suffix('.png')}", highlight=False)


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

    figure = Figure(figsize=(6, 4), layout="constrained", dpi=150)
    axis = figure.subplots()
    for trial in trials:
        label = f"logits x {trial['logit_scale']:g} {trial['options']}"
        if trial["curve"]:
            axis.plot(THRESHOLDS, [100 * value for value in trial["curve"]], label=label)
    axis.set(xlabel="background threshold", ylabel="mIoU (%)", title=title)
    axis.legend(fontsize=7)
    figure.savefig(path)


if __name__ == "__main__":
    try:
        main()
    except MISTAKES as error:
        sys.exit(f"error: {sentence(error)}")
