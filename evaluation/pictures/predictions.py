"""Label maps of single samples, for figures."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Integer

from evaluation.data import Dataset, Sample
from evaluation.measure.evaluate import segmenter_of
from evaluation.measure.mask_accumulator import min_max_at
from evaluation.measure.text_cache import embed_text
from evaluation.pictures.panel import Row, panel
from evaluation.records.record import changed_options, method_name
from evaluation.run.sweep import FAILURES
from evaluation.setting import Setting
from gem.backbones import Backbone
from gem.image import upsample

ORDER = ("clip", "maskclip", "clip_surgery", "gem")
COLUMNS = 6  # methods beside each other in one picture


def draw_panels(settings: Iterable[Setting], folder: Path) -> tuple[list[Path], list[str]]:
    """``panel-DATASET.png`` for each model and data set that several methods ran on.

    ``panel-DATASET-MODEL-WEIGHTS.png`` where several models did. Each method with the fewest
    options changed; random weights have nothing to show. Returns the pictures, and a sentence for
    each that could not be drawn.
    """
    groups: dict[tuple[Backbone, Dataset], dict[str, Setting]] = {}
    for setting in sorted(settings, key=lambda one: len(changed_options(one))):
        if not setting.backbone.provenance.random:
            group = groups.setdefault((setting.backbone, setting.dataset), {})
            group.setdefault(method_name(setting), setting)
    several = {parts: methods for parts, methods in groups.items() if len(methods) > 1}
    models = Counter(dataset.card.name for _, dataset in several)
    found, undrawn = [], []
    for (backbone, dataset), methods in several.items():
        name = dataset.card.name
        shown = {method: methods[method] for method in ORDER if method in methods}
        path = folder / f"panel-{name}{_suffix(backbone) if models[name] > 1 else ''}.png"
        try:
            found.append(draw_panel(shown, path))
        except FAILURES as error:
            undrawn.append(f"{path.name} is not drawn: {' '.join(str(error).split())}")
    return [path for path in found if path], undrawn


def _suffix(backbone: Backbone) -> str:
    """A model in the name of a file."""
    model = backbone.provenance
    return f"-{Path(model.model).name}-{Path(model.source).stem}"


def draw_panel(
    settings: Mapping[str, Setting], path: Path, *, count: int = 5, seed: int = 0
) -> Path | None:
    """A picture of `predictions`, of at most `COLUMNS` of the settings.

    None for points, and for random weights, which have nothing to show.
    """
    trained = [pair for pair in settings.items() if not pair[1].backbone.provenance.random]
    if not trained:
        return None
    shown = dict(trained[:COLUMNS])
    dataset = next(iter(shown.values())).dataset
    if not isinstance(dataset[dataset.ids[0]].truth, np.ndarray):
        return None
    shown = {name: setting for name, setting in shown.items() if setting.dataset == dataset}
    panel(predictions(shown, count=count, seed=seed), dataset.card, path)
    return path


def predictions(settings: Mapping[str, Setting], *, count: int, seed: int = 0) -> list[Row]:
    """Samples chosen by the seed, with each setting's labels; the settings share one data set."""
    first = next(iter(settings.values()))
    places = np.random.default_rng(seed).permutation(len(first.ids))[:count]
    samples = [first.dataset[first.ids[place]] for place in sorted(places)]
    columns = {name: label_maps(setting, samples) for name, setting in settings.items()}
    return [
        Row(sample=sample, predictions={name: maps[index] for name, maps in columns.items()})
        for index, sample in enumerate(samples)
    ]


def label_maps(setting: Setting, samples: Sequence[Sample]) -> list[Integer[np.ndarray, "y x"]]:
    """Decisions of one setting at each truth's resolution."""
    card, protocol = setting.dataset.card, setting.protocol
    segmenter, queries = segmenter_of(setting), embed_text(setting)
    found = []
    for sample in samples:
        (view,) = segmenter.see(segmenter.prepare(sample.image)[None])
        size = (sample.truth.shape[0], sample.truth.shape[1])
        cosines = view.cosines(queries.text)
        scaled = min_max_at(cosines, size) if protocol.min_max else cosines
        labels = protocol.decide(upsample(scaled, size), queries, background=card.background)
        found.append(labels.cpu().numpy())
    return found
