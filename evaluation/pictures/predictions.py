"""What settings say of single samples, for pictures: label maps, and heat maps of single words.

Shapes: y x pixels of the truth.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Integer

from evaluation.data import VOID, Dataset, Sample, task_of
from evaluation.data.sample import truth_size
from evaluation.pictures.answers import answers
from evaluation.pictures.panel import HeatRow, PanelRow, panel
from evaluation.setting import Setting
from gem.image import min_max, upsample

FAILURES = (ValueError, OSError, RuntimeError)
COLUMNS = 6  # methods beside each other in one picture
WORDS = 2  # heat maps of so many words


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
    settings: Mapping[str, Setting], path: Path, *, count: int = 4, seed: int = 0
) -> Path | None:
    """A picture of `predictions` and `heat_rows`, of at most `COLUMNS` of the settings.

    None for points, and for random weights, which have nothing to show.
    """
    trained = [pair for pair in settings.items() if not pair[1].segmenter.provenance.random]
    shown = {name: one for name, one in trained[:COLUMNS] if one.dataset == trained[0][1].dataset}
    if not shown or task_of(trained[0][1].dataset) != "masks":
        return None
    first = trained[0][1]
    rows = predictions(shown, count=count, seed=seed)
    said = caption_of(first, count=len(rows), seed=seed)
    panel(rows, heat_rows(shown, rows), first.dataset.card, path, caption=said)
    return path


def caption_of(setting: Setting, *, count: int, seed: int) -> str:
    """Which images are shown, of how many, and by what rule."""
    protocol, ids = setting.protocol, setting.ids
    rule = ""
    if protocol.background is not None and not setting.segmenter.decides:
        rule = f", no class under a probability of {protocol.background:g}"
    return (
        f"{setting.dataset.card.title}: {count} of {len(ids)} images, drawn by the seed {seed}; "
        f"nobody chose them. Protocol: {protocol.name}{rule}."
    )


def predictions(settings: Mapping[str, Setting], *, count: int, seed: int = 0) -> list[PanelRow]:
    """Samples chosen by the seed, with each setting's labels; the settings share one data set."""
    first = next(iter(settings.values()))
    samples = [first.dataset[name] for name in shown_ids(first, count=count, seed=seed)]
    columns = {name: label_maps(setting, samples) for name, setting in settings.items()}
    return [
        PanelRow(sample=sample, predictions={name: maps[index] for name, maps in columns.items()})
        for index, sample in enumerate(samples)
    ]


def shown_ids(setting: Setting, *, count: int, seed: int) -> list[str]:
    """The samples that a picture shows: chosen by the seed alone, in the data set's order."""
    places = np.random.default_rng(seed).permutation(len(setting.ids))[:count]
    return [setting.ids[place] for place in sorted(places)]


def heat_rows(settings: Mapping[str, Setting], rows: Sequence[PanelRow]) -> list[HeatRow]:
    """Maps of the `WORDS` largest classes of the first image that shows so many.

    Of the image with the most classes if none does. The settings share one data set; one that
    gives no score of a single class has no map.
    """
    card = next(iter(settings.values())).dataset.card
    shown = [_largest(row.sample, background=card.background) for row in rows]
    enough = [len(labels) >= WORDS for labels in shown]
    most = max(range(len(rows)), key=lambda place: (enough[place], len(shown[place]), -place))
    chosen = enough.index(True) if any(enough) else most
    sample, labels = rows[chosen].sample, shown[chosen][:WORDS]
    columns = {name: heat_maps(one, sample, labels) for name, one in settings.items()}
    return [
        HeatRow(
            sample=sample, label=label, word=card.labels[label],
            maps={name: maps[place] if maps else None for name, maps in columns.items()},
        )
        for place, label in enumerate(labels)
    ]  # fmt: skip


def _largest(sample: Sample, *, background: bool) -> list[int]:
    """The labels of the classes that an image shows, those with the most pixels first."""
    found, areas = np.unique(sample.truth, return_counts=True)
    ranked = [int(found[place]) for place in np.argsort(-areas, kind="stable")]
    return [label for label in ranked if label != VOID and not (background and label == 0)]


def heat_maps(
    setting: Setting, sample: Sample, labels: Sequence[int]
) -> list[Float[np.ndarray, "y x"]] | None:
    """One map for each label, scaled to [0, 1]; None if the segmenter scores no classes."""
    (answer,) = answers(setting, [sample])
    if answer.heat is None:
        return None
    places = [label - int(setting.dataset.card.background) for label in labels]
    maps = upsample(torch.from_numpy(answer.heat[places]), truth_size(sample.truth))
    return list(min_max(maps).numpy())


def label_maps(setting: Setting, samples: Sequence[Sample]) -> list[Integer[np.ndarray, "y x"]]:
    """Decisions of one setting at each truth's resolution."""
    return [answer.labels for answer in answers(setting, samples)]
