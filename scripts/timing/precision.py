"""What a precision changes: pixels that are decided otherwise than in fp32, on drawn scenes.

GEM with the embedded model; the time is that of the whole evaluation of a scene, without loading.
tf32 differs from fp32 on a GPU only.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from rich.table import Table
from timing.clock import Timing, empty_table

from evaluation.launch import compose_setting
from evaluation.setting import Setting

PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
SCENES = 50


def precision_table(timing: Timing) -> Table:
    """Measure and show; of the timing the rounds count, each of `SCENES` scenes."""
    scenes = SCENES * timing.rounds
    table = empty_table(f"embedded model, {scenes} drawn scenes", "other pixels %", "mIoU %")
    exact: list[np.ndarray] = []
    for precision in PRECISIONS:
        setting = compose_setting([f"backbone.precision={precision}", f"limit={scenes}"])
        _ = next(labels(replace(setting, limit=1)))  # loads the model
        start = time.perf_counter()
        found = list(labels(setting))
        taken = 1000 * (time.perf_counter() - start) / scenes
        exact = exact or found
        other = np.mean([a != b for a, b in zip(exact, found, strict=True)])
        table.add_row(
            precision, "GEM", f"{taken:.0f}", f"{100 * other:.3f}", f"{miou(setting):.2f}"
        )
    return table


def labels(setting: Setting) -> Iterator[np.ndarray]:
    """The label map of every scene."""
    from evaluation.data.sample import truth_size
    from evaluation.measure.batches import encode_batches
    from evaluation.measure.decision import label_map
    from evaluation.measure.text_cache import embed_text

    queries = embed_text(setting)
    for batch, encoded in encode_batches([setting]):
        for item, image in zip(batch, encoded[setting.segmenter], strict=True):
            size = truth_size(item.truth)
            yield label_map(image, queries, setting.protocol, size, background=True).cpu().numpy()


def miou(setting: Setting) -> float:
    """In percent, by an evaluation of its own."""
    from evaluation.measure.evaluate import evaluate

    return 100 * next(one.value for one in evaluate(setting).outcome.scores if one.name == "miou")
