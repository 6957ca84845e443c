"""The browser of predictions: which scenes, what each method says of them, how well."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.data import VOID, Sample
from evaluation.pictures.quality import image_iou
from evaluation.report.entry import Entry
from evaluation.report.pictures import colour_names, mask_uri, photo_uri

if TYPE_CHECKING:
    from jaxtyping import Integer

    from evaluation.setting import Setting

EXTREMES = 3
POOL = 200  # images that are looked at for the worst and the best


@dataclass(frozen=True)
class Choice:
    """Scenes to show, with why: the reasons by sample id, in the order of the thumbnails."""

    reasons: dict[str, list[str]]
    pool: int


def comparable(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Groups of at most one record per method, all of one model, protocol and set of masks.

    First those with trained weights, the most methods, photographs, the most images; of a method's
    records that with the default options, then the newest.
    """
    fitting = [e for e in entries if "miou" in e.record.scores]
    groups = groupby(sorted(fitting, key=_group), key=_group)
    return sorted((_one_each(list(group)) for _, group in groups), key=_rank, reverse=True)


def _rank(group: Sequence[Entry]) -> tuple[bool, int, bool, int]:
    first = group[0]
    real = first.record.names["dataset"] != "toy"
    return (not first.random, len(group), real, first.record.images)


def _group(entry: Entry) -> tuple[str, ...]:
    names, hashes = entry.record.names, entry.record.hashes
    parts = ("weights", "protocol", "samples", "vocabulary")
    return (names["dataset"], names["model"], *(str(hashes.get(part)) for part in parts))


def _one_each(group: Sequence[Entry]) -> list[Entry]:
    ranked = sorted(group, key=lambda entry: (entry.options == "", entry.record.created))
    chosen = {entry.method: entry for entry in ranked}  # the last one counts
    return sorted(chosen.values(), key=lambda entry: entry.rank)


def judge_of(entries: Sequence[Entry]) -> Entry:
    """The record by whose predictions scenes are the worst and the best: GEM's if there is one."""
    return next((entry for entry in entries if entry.method == "gem"), entries[-1])


def choose(quality: Mapping[str, float], *, count: int, seed: int) -> Choice:
    """The worst and the best samples by ``quality``, then ``count`` by the seed."""
    ranked = sorted(quality, key=lambda sample: (quality[sample], sample))
    worst, best = ranked[:EXTREMES], ranked[::-1][:EXTREMES]
    drawn = random.Random(seed).sample(sorted(quality), min(count, len(quality)))  # noqa: S311
    reasons: dict[str, list[str]] = {}
    for reason, samples in (("worst", worst), ("best", best), (f"seed {seed}", sorted(drawn))):
        for sample in samples:
            reasons.setdefault(sample, []).append(reason)
    return Choice(reasons=reasons, pool=len(quality))


def browser(entries: Sequence[Entry], *, count: int, seed: int) -> dict[str, Any] | None:
    """All that the browser of the page needs, as plain data; None if there is nothing to show.

    Of the first group whose model and data are here: both are read again. Raises ValueError, with
    what the first group raised, if there is none.
    """
    first: Exception | None = None
    for group in comparable(entries):
        try:
            return _browse(group, count=count, seed=seed)
        # A record may name any file and option: what running it raises is not known.
        except Exception as error:  # noqa: BLE001
            first = first or error
    if first:
        raise ValueError(" ".join(str(first).split()) or type(first).__name__) from first
    return None


def _browse(chosen: Sequence[Entry], *, count: int, seed: int) -> dict[str, Any]:
    from evaluation.pictures.predictions import label_maps
    from evaluation.run.rerun import setting_of

    settings: dict[str, Setting] = {e.method: setting_of(e.record, {}) for e in chosen}
    judge = judge_of(chosen).method
    dataset, card = settings[judge].dataset, settings[judge].dataset.card
    ids = sorted(settings[judge].ids)
    ids = random.Random(seed).sample(ids, min(POOL, len(ids)))  # noqa: S311
    dataset.check(ids)
    pool = [dataset[sample_id] for sample_id in ids]
    judged = dict(zip(ids, label_maps(settings[judge], pool), strict=True))
    each = {s.id: image_iou(judged[s.id], s.truth, card)[0] for s in pool}
    quality = {name: mean for name, mean in each.items() if mean is not None}
    choice = choose(quality, count=count, seed=seed)
    samples = [dataset[sample_id] for sample_id in choice.reasons]
    maps = {
        name: [judged[s.id] for s in samples] if name == judge else label_maps(setting, samples)
        for name, setting in settings.items()
    }
    return payload(chosen, samples, maps, choice)


def payload(
    entries: Sequence[Entry],
    samples: Sequence[Sample],
    maps: Mapping[str, Sequence[Integer[np.ndarray, "y x"]]],
    choice: Choice,
) -> dict[str, Any]:
    """Scenes, label maps and IoU as plain data with inlined pictures."""
    from evaluation.data import load_card

    card = load_card(entries[0].record.names["dataset"])
    methods = [
        {"name": e.method, "label": e.label, "options": e.options, "key": e.record.key}
        for e in entries
    ]
    scenes = []
    for index, sample in enumerate(samples):
        answers = {}
        for name, labels in maps.items():
            mean, each = image_iou(labels[index], sample.truth, card)
            mask = mask_uri(labels[index], background=card.background)
            answers[name] = {"mask": mask, "mean": mean, "iou": each}
        scenes.append(
            {
                "id": sample.id,
                "reasons": choice.reasons[sample.id],
                "image": photo_uri(sample.image),
                "aspect": sample.image.width / sample.image.height,
                "truth": mask_uri(sample.truth, background=card.background),
                "shown": sorted(set(np.unique(sample.truth).tolist()) - {VOID}),
                "answers": answers,
            }
        )
    colours = colour_names(len(card.labels), background=card.background)
    return {
        "labels": list(card.labels), "colours": colours, "background": card.background,
        "methods": methods, "scenes": scenes, "pool": choice.pool,
        "judge": judge_of(entries).label, "dataset": card.title,
    }  # fmt: skip
