"""Label maps of single samples, for figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Integer

from evaluation.data import Dataset, Sample
from evaluation.figures import Row
from evaluation.runner import segmenter_of
from evaluation.setting import Setting
from evaluation.tally import min_max_at
from evaluation.text_cache import embed_text
from gem.image import upsample


def predictions(settings: Mapping[str, Setting], *, count: int) -> list[Row]:
    """The first ``count`` samples with each setting's labels; the settings share one data set."""
    dataset: Dataset = next(iter(settings.values())).dataset
    samples = [dataset[sample_id] for sample_id in dataset.ids[:count]]
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
