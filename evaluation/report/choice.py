"""Which predictions are shown: records that can be compared, and images of their data set."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from evaluation.report.entry import Entry

EXTREMES = 3


@dataclass(frozen=True)
class Choice:
    """Images to show, with why: the reasons by sample id, in the order of the thumbnails."""

    reasons: dict[str, list[str]]
    pool: int
    by_seed: str

    @property
    def start(self) -> int:
        """The place of the image that the page opens on: the first that the seed chose, if any."""
        places = [n for n, found in enumerate(self.reasons.values()) if self.by_seed in found]
        return places[0] if places else 0


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
    """The record by whose predictions images are the worst and the best: GEM's if there is one."""
    return next((entry for entry in entries if entry.method == "gem"), entries[-1])


def choose(quality: Mapping[str, float], *, count: int, seed: int) -> Choice:
    """``count`` samples by the seed, then the worst and the best by ``quality``.

    One that is of several kinds is among the worst or the best, and says all of them.
    """
    ranked = sorted(quality, key=lambda sample: (quality[sample], sample))
    worst, best = ranked[:EXTREMES], ranked[::-1][:EXTREMES]
    drawn = random.Random(seed).sample(sorted(quality), min(count, len(quality)))  # noqa: S311
    by_seed = f"seed {seed}"
    reasons: dict[str, list[str]] = {}
    for reason, samples in (("worst", worst), ("best", best), (by_seed, sorted(drawn))):
        for sample in samples:
            reasons.setdefault(sample, []).append(reason)
    first = sorted(reasons, key=lambda sample: reasons[sample] != [by_seed])
    return Choice({sample: reasons[sample] for sample in first}, len(quality), by_seed)
