"""Label maps of single samples, for pictures.

Shapes: y x pixels of the truth.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Integer

from evaluation.data import Dataset, Sample, task_of
from evaluation.pictures.answers import answers
from evaluation.pictures.panel import PanelRow, panel
from evaluation.setting import Setting

FAILURES = (ValueError, OSError, RuntimeError)
COLUMNS = 6  # methods beside each other in one picture


def draw_panels(settings: Iterable[Setting], folder: Path) -> tuple[list[Path], list[str]]:
    """``panel-DATASET.png`` for each model and data set that several methods ran on.

    ``panel-DATASET-MODEL-WEIGHTS.png`` where several models did. Each method with the fewest
    options changed; random weights have nothing to show. Returns the pictures, and a sentence for
    each that could not be drawn.
    """
    groups: dict[tuple[str, str, Dataset], dict[str, Setting]] = {}
    for setting in sorted(settings, key=lambda one: len(one.segmenter.variant)):
        model = setting.segmenter.provenance
        if not model.random:
            group = groups.setdefault((model.model, model.source, setting.dataset), {})
            group.setdefault(setting.segmenter.title, setting)
    several = {parts: methods for parts, methods in groups.items() if len(methods) > 1}
    models = Counter(dataset.card.name for *_, dataset in several)
    found, undrawn = [], []
    for (model_name, weights, dataset), methods in several.items():
        name = dataset.card.name
        suffix = f"-{Path(model_name).name}-{Path(weights).stem}" if models[name] > 1 else ""
        path = folder / f"panel-{name}{suffix}.png"
        try:
            found.append(draw_panel(in_order(methods), path))
        except FAILURES as error:
            undrawn.append(f"{path.name} is not drawn: {' '.join(str(error).split())}")
    return [path for path in found if path], undrawn


def in_order(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Settings in the order in which their methods were published; undated ones come last."""
    ranked = sorted(settings.items(), key=lambda one: one[1].segmenter.published or "9999")
    return dict(ranked)


def draw_panel(
    settings: Mapping[str, Setting], path: Path, *, count: int = 5, seed: int = 0
) -> Path | None:
    """A picture of `predictions`, of at most `COLUMNS` of the settings.

    None for points, and for random weights, which have nothing to show.
    """
    trained = [pair for pair in settings.items() if not pair[1].segmenter.provenance.random]
    shown = {name: one for name, one in trained[:COLUMNS] if one.dataset == trained[0][1].dataset}
    if not shown or task_of(trained[0][1].dataset) != "masks":
        return None
    panel(predictions(shown, count=count, seed=seed), trained[0][1].dataset.card, path)
    return path


def predictions(settings: Mapping[str, Setting], *, count: int, seed: int = 0) -> list[PanelRow]:
    """Samples chosen by the seed, with each setting's labels; the settings share one data set."""
    first = next(iter(settings.values()))
    places = np.random.default_rng(seed).permutation(len(first.ids))[:count]
    samples = [first.dataset[first.ids[place]] for place in sorted(places)]
    columns = {name: label_maps(setting, samples) for name, setting in settings.items()}
    return [
        PanelRow(sample=sample, predictions={name: maps[index] for name, maps in columns.items()})
        for index, sample in enumerate(samples)
    ]


def label_maps(setting: Setting, samples: Sequence[Sample]) -> list[Integer[np.ndarray, "y x"]]:
    """Decisions of one setting at each truth's resolution."""
    return [answer.labels for answer in answers(setting, samples)]
