"""Settings over one data set, in this process: images in, integer counts out."""

from collections.abc import Callable, Sequence

from evaluation.measure.work import Result, Work, count_here
from evaluation.setting import Setting

Advance = Callable[[int], None]


def evaluate(setting: Setting, advance: Advance = lambda _: None) -> Result:
    """Evaluate a setting; ``advance`` is called with the number of images of each batch done.

    Neither the workers nor the order of the samples changes the counts, nor does the batch size but
    for near-ties. Raises what the data set and the segmenter raise.
    """
    (result,) = evaluate_all([setting], advance)
    return result


def evaluate_all(settings: Sequence[Setting], advance: Advance = lambda _: None) -> list[Result]:
    """Evaluate several settings in one pass over the data, each as if it were alone.

    They may differ in what shares a pass (methods on one trace), in words and prompts, in the
    decision and the metric; the seconds are those of the whole pass. Raises ValueError if the
    settings cannot share a pass, and NotFiniteError at the first sample whose scores are not
    finite.
    """
    work = Work(settings)
    for images in count_here(work):
        advance(images)
    return work.results()
