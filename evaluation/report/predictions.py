"""The browser of predictions: what each method says of an image, where it looks, how well."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.data import VOID, Card, Sample
from evaluation.pictures.quality import image_iou
from evaluation.report.choice import Choice, choose, comparable, judge_of
from evaluation.report.entry import Entry
from evaluation.report.layers import colour_names, heat_uri, mask_uri, outline_uri, photo_uri

if TYPE_CHECKING:
    from jaxtyping import Integer

    from evaluation.pictures.answers import Answer
    from evaluation.setting import Setting

POOL = 200  # images that are looked at for the worst and the best
HEATS = 8  # classes of an image whose heat maps are shown: those that cover most of it


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
    from evaluation.pictures.answers import answers
    from evaluation.run.rerun import setting_of

    settings: dict[str, Setting] = {e.method: setting_of(e.record, {}) for e in chosen}
    judge = judge_of(chosen).method
    dataset, card = settings[judge].dataset, settings[judge].dataset.card
    ids = sorted(settings[judge].ids)
    ids = random.Random(seed).sample(ids, min(POOL, len(ids)))  # noqa: S311
    dataset.check(ids)
    pool = [dataset[sample_id] for sample_id in ids]
    judged = dict(zip(ids, answers(settings[judge], pool), strict=True))
    each = {s.id: image_iou(judged[s.id].labels, s.truth, card)[0] for s in pool}
    quality = {name: mean for name, mean in each.items() if mean is not None}
    choice = choose(quality, count=count, seed=seed)
    samples = [dataset[sample_id] for sample_id in choice.reasons]
    found = {
        name: [judged[s.id] for s in samples] if name == judge else [*answers(setting, samples)]
        for name, setting in settings.items()
    }
    return payload(chosen, samples, found, choice)


def payload(
    entries: Sequence[Entry],
    samples: Sequence[Sample],
    found: Mapping[str, Sequence[Answer]],
    choice: Choice,
) -> dict[str, Any]:
    """Images, label maps, heat maps and IoU as plain data with inlined pictures."""
    from evaluation.data import load_card

    card = load_card(entries[0].record.names["dataset"])
    methods = [
        {"name": e.method, "label": e.label, "options": e.options, "key": e.record.key}
        for e in entries
    ]
    images = []
    for index, sample in enumerate(samples):
        shown = sorted(set(np.unique(sample.truth).tolist()) - {VOID})
        heated = _heated(sample, card)
        images.append(
            {
                "id": sample.id,
                "reasons": choice.reasons[sample.id],
                "image": photo_uri(sample.image),
                "aspect": sample.image.width / sample.image.height,
                "truth": _layers(sample.truth, card)
                | {"line": outline_uri(sample.truth, background=card.background, white=True)},
                "shown": shown,
                "heated": heated,
                "answers": {
                    name: _answer(each[index], sample, card, heated) for name, each in found.items()
                },
            }
        )
    colours = colour_names(len(card.labels), background=card.background)
    return {
        "labels": list(card.labels), "colours": colours, "background": card.background,
        "methods": methods, "images": images, "start": choice.start, "pool": choice.pool,
        "judge": judge_of(entries).label, "dataset": card.title,
    }  # fmt: skip


def _layers(labels: Integer[np.ndarray, "y x"], card: Card) -> dict[str, str]:
    return {
        "mask": mask_uri(labels, background=card.background),
        "outline": outline_uri(labels, background=card.background),
    }


def _heated(sample: Sample, card: Card) -> list[int]:
    """The labels of the image that have heat maps, the largest first."""
    labels, pixels = np.unique(sample.truth, return_counts=True)
    sizes = dict(zip(labels.tolist(), pixels.tolist(), strict=True))
    kept = [one for one in sizes if one != VOID and not (card.background and one == 0)]
    return sorted(kept, key=lambda one: -sizes[one])[:HEATS]


def _answer(answer: Answer, sample: Sample, card: Card, heated: Sequence[int]) -> dict[str, Any]:
    """What one method says of one image."""
    mean, each = image_iou(answer.labels, sample.truth, card)
    heat = None
    if answer.heat is not None:
        uris = heat_uri(answer.heat, [one - int(card.background) for one in heated], sample.image)
        heat = dict(zip(map(str, heated), uris, strict=True))
    return {**_layers(answer.labels, card), "heat": heat, "mean": mean, "iou": each}
