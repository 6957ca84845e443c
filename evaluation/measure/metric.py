"""Which numbers an evaluation computes: the config group ``metric``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gem.options import options

if TYPE_CHECKING:
    from evaluation.metrics.accumulator import Accumulator
    from evaluation.setting import Setting
    from gem.vocabulary import Queries


@options
class ByTask:
    """The metrics of the paper: mIoU and map IoU for masks, p-mIoU for points."""

    def accumulator(self, setting: Setting, queries: Queries) -> Accumulator:
        """By the task that the card of the data set declares."""
        card = setting.dataset.card
        if card.task == "none":
            raise ValueError(f"{card.name} has no truth to evaluate: its images can be labelled")
        if card.task == "points":
            from evaluation.measure.points import PointAccumulator

            _check_points(setting)
            return PointAccumulator(card, queries)
        from evaluation.measure.masks import MaskAccumulator

        decided = setting.segmenter.decides
        return MaskAccumulator(setting.protocol, card, queries, decided=decided)


def _check_points(setting: Setting) -> None:
    """Raise ValueError for rules of masks that nobody would apply to points."""
    for rule in ("pamr", "area_threshold"):
        if getattr(setting.protocol, rule) is not None:
            raise ValueError(
                f"protocol.{rule} refines masks, but {setting.dataset.card.name} has points, each "
                f"class of which is asked by itself: set protocol.{rule}=null"
            )


@options
class Thresholds:
    """Every threshold of the background at once, to choose one; for masks with a background."""

    def accumulator(self, setting: Setting, queries: Queries) -> Accumulator:
        """The same as `ByTask` where there is no background to tell from the rest."""
        card = setting.dataset.card
        if card.task != "masks" or not card.background:
            return ByTask().accumulator(setting, queries)
        if setting.segmenter.decides:
            raise ValueError(
                f"metric=thresholds: {setting.segmenter.title} has a rule of its own for the "
                "background, expected a segmenter whose protocol has a threshold to choose"
            )
        from evaluation.measure.thresholds import ThresholdAccumulator

        return ThresholdAccumulator(setting.protocol, card, queries)
