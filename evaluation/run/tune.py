"""Thresholds, logit scales and temperatures, searched in one pass over samples for that purpose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from evaluation.engines import Local
from evaluation.engines.engine import Engine, evaluate_with
from evaluation.measure import Thresholds
from evaluation.measure.evaluate import Advance
from evaluation.measure.thresholds import THRESHOLDS
from evaluation.measure.work import Work
from evaluation.metrics.accumulator import Outcome
from evaluation.setting import Setting
from gem.methods import Gem
from gem.patches import Patches

LOCAL = Local()
FURTHER = 3  # times that a grid is extended


@dataclass(frozen=True)
class Trial:
    """One point of the search: what was set, the best threshold with it, and its whole curve.

    ``background`` and ``curve`` (mIoU at each of `evaluation.measure.thresholds.THRESHOLDS`) are
    None for a data set without a background class. ``options`` are those of the segmenter that
    are not its defaults.
    """

    options: str
    temperature_scale: float | None
    logit_scale: float
    background: float | None
    miou: float
    curve: list[Any] | None


def search(
    setting: Setting,
    *,
    logit_scales: Sequence[float],
    temperature_scales: Sequence[float],
    advance: Advance = lambda _: None,
    engine: Engine = LOCAL,
) -> list[Trial]:
    """Every combination of the scales, with all thresholds, in one pass; the best trial first.

    Temperature scales multiply 1/tau and are of GEM. Raises ValueError if given for another method,
    and what the segmenter's `check` raises.
    """
    scales = logit_scales or (setting.protocol.logit_scale,)
    heats: Sequence[float | None] = temperature_scales or (None,)
    variants = [
        replace(
            setting,
            protocol=replace(setting.protocol, logit_scale=scale),
            segmenter=_heated(setting, heat),
            metric=Thresholds(),
        )
        for scale, heat in product(scales, heats)
    ]
    for one in variants:  # each may have a number that the precision does not hold
        one.segmenter.check(one.ids)
    results = evaluate_with(engine, Work(variants), advance)
    trials = [
        _trial(variant, result.outcome) for variant, result in zip(variants, results, strict=True)
    ]
    return sorted(trials, key=lambda trial: -trial.miou)


def search_on(
    setting: Setting,
    grids: Mapping[str, Sequence[float]],
    *,
    tell: Callable[[str], None],
    advance: Advance = lambda _: None,
    engine: Engine = LOCAL,
) -> list[Trial]:
    """`search`, and further where the best is at the edge of a grid; the best trial first.

    grids: ``logit_scales`` and ``temperature_scales``. A grid of two values or more is extended by
    its last ratio, each value in a pass of its own, at most `FURTHER` times. tell: gets a sentence
    for each, and for what is still at the edge in the end.
    """

    def searched(known: Mapping[str, Sequence[float]], advance: Advance) -> list[Trial]:
        return search(
            setting,
            logit_scales=known["logit_scales"],
            temperature_scales=known["temperature_scales"],
            advance=advance,
            engine=engine,
        )

    known = {name: tuple(values) for name, values in grids.items()}
    trials = searched(known, advance)
    for _ in range(FURTHER):
        more = beyond(trials[0], known)
        if not more:
            break
        for name, value in more.items():
            tell(f"the best is at the edge of {name}: {value:g} is tried too")
            trials += searched({**known, name: (value,)}, lambda _: None)
            known[name] = (*known[name], value)
        trials.sort(key=lambda trial: -trial.miou)
    edges = list(beyond(trials[0], known))
    if trials[0].background in {THRESHOLDS[0], THRESHOLDS[-1]}:
        edges.append("the thresholds")
    for name in edges:
        tell(f"the best is at the edge of {name}: it may lie further out")
    return trials


def beyond(best: Trial, grids: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The next value of each grid at whose edge the best trial is; one value alone is no grid."""
    found = {"logit_scales": best.logit_scale, "temperature_scales": best.temperature_scale}
    more = {}
    for name, values in grids.items():
        own, ordered = found[name], sorted(set(values))
        if len(ordered) < 2 or own is None:
            continue
        if own == ordered[0]:
            more[name] = own * ordered[0] / ordered[1]
        elif own == ordered[-1]:
            more[name] = own * ordered[-1] / ordered[-2]
    return more


def plain(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Trials as plain data."""
    return [asdict(trial) for trial in trials]


def _heated(setting: Setting, scale: float | None) -> Any:
    """The segmenter with another temperature scale."""
    segmenter = setting.segmenter
    if scale is None:
        return segmenter
    if not isinstance(segmenter, Patches) or not isinstance(segmenter.method, Gem):
        raise ValueError(f"temperature scales are of method=gem, not of {segmenter.title}")  # noqa: TRY004
    return replace(segmenter, method=replace(segmenter.method, temperature_scale=scale))


def _trial(setting: Setting, outcome: Outcome) -> Trial:
    method = getattr(setting.segmenter, "method", None)
    scores = {score.name: score.value for score in outcome.scores}
    return Trial(
        options=setting.segmenter.variant,
        temperature_scale=method.temperature_scale if isinstance(method, Gem) else None,
        logit_scale=setting.protocol.logit_scale,
        background=scores.get("background"),
        miou=scores["miou"],
        curve=outcome.counts.get("curve"),
    )
