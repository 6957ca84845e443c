"""Label maps of single samples, for figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Integer

from evaluation.data import Dataset, Sample
from evaluation.figures import Row
from evaluation.setting import Setting
from gem.image import upsample
from gem.segmenter import Segmenter


def predictions(settings: Mapping[str, Setting], *, count: int) -> list[Row]:
    """The first ``count`` samples with each setting's labels; the settings share one data set."""
    dataset: Dataset = next(iter(settings.values())).dataset
    samples = [dataset[sample_id] for sample_id in dataset.ids[:count]]
    columns = {name: _labels(setting, samples) for name, setting in settings.items()}
    return [
        Row(sample=sample, predictions={name: maps[index] for name, maps in columns.items()})
        for index, sample in enumerate(samples)
    ]


def _labels(setting: Setting, samples: Sequence[Sample]) -> list[Integer[np.ndarray, "y x"]]:
    """Decisions of one setting at each truth's resolution."""
    card = setting.dataset.card
    segmenter = Segmenter(setting.backbone, setting.method, setting.protocol.resize)
    text = card.vocabulary.embed(setting.backbone, setting.prompts)
    found = []
    for sample in samples:
        cosines = segmenter.cosines(segmenter.prepare(sample.image)[None], text)[0]
        maps = upsample(cosines, (sample.truth.shape[0], sample.truth.shape[1]))
        labels = setting.protocol.decide(maps, background=card.background)
        found.append(labels.cpu().numpy())
    return found
