"""What one setting says of single samples: its labels, and where it sees each class.

Shapes: c classes, u v rows and columns of a map, y x pixels of the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from evaluation.data.sample import truth_size
from evaluation.measure.decision import class_maps, label_map, score_maps
from evaluation.measure.finite import CheckedImage
from evaluation.measure.text_cache import embed_text

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float, Integer

    from evaluation.data import Sample
    from evaluation.setting import Setting


@dataclass(frozen=True, eq=False)
class Answer:
    """The decision at the truth's resolution, and a map of scores for each class.

    heat: at the segmenter's own resolution, without the background; None where a segmenter gives
    labels alone.
    """

    labels: Integer[np.ndarray, "y x"]
    heat: Float[np.ndarray, "c u v"] | None


def answers(setting: Setting, samples: Sequence[Sample]) -> Iterator[Answer]:
    """One per sample. Raises ValueError for scores that are not finite."""
    segmenter, protocol, card = setting.segmenter, setting.protocol, setting.dataset.card
    queries = embed_text(setting)
    for sample in samples:
        pixels = segmenter.prepare(sample.image, resize=protocol.resize, sample_id=sample.id)
        ((image,),) = segmenter.encode_together(
            [segmenter], torch.stack([pixels]), windows=protocol.tiling
        )
        checked, heat = CheckedImage(image, segmenter, sample.id), None
        size = truth_size(sample.truth)
        labels = label_map(checked, queries, protocol, size, background=card.background)
        if checked.labels is None:
            heat = class_maps(score_maps(checked, queries), queries).float().cpu().numpy()
        checked.check()
        yield Answer(labels.cpu().numpy(), heat)
