"""The committed results of the drawn scenes are those of the code before.

``tests/reference/records.json`` holds the scores and counts that earlier code made, by names, words
and prompts. A change that moves a number replaces it, and says both numbers in the changelog. The
results are made anew on whichever machine is there: another CPU decides near-ties otherwise
(docs/equality.md), a few pixels of three million.
"""

import json

import numpy as np
import pytest
from conftest import REPOSITORY

from evaluation.records.record import read_record

RESULTS = REPOSITORY / "results"
BEFORE = json.loads((REPOSITORY / "tests/reference/records.json").read_text(encoding="utf-8"))
TIES = 2e-5  # of the pixels or points of a record; 0.9e-5 is the most that two CPUs differed by
PARTS = ("dataset", "method", "options", "model", "protocol")


@pytest.fixture(scope="module")
def now():
    """The committed records by folder and names."""
    found = {}
    committed = [RESULTS / "demo" / "records", RESULTS / "toy" / "records"]
    for path in sorted(path for folder in committed for path in folder.glob("**/*.json")):
        record = read_record(path)
        folder = path.relative_to(RESULTS).parent.as_posix()
        words, templates = (record.setting[part] for part in ("vocabulary", "prompts"))
        names = [folder, *(record.names[part] for part in PARTS), words["family"]]
        name = " ".join([*names, f"{len(templates['templates'])} {templates['templates'][0]}"])
        assert name not in found
        found[name] = record
    return found


def test_no_record_is_lost(now):
    assert sorted(now) == sorted(BEFORE)
    assert len(BEFORE) == 88


@pytest.mark.parametrize("name", BEFORE)
def test_every_score_and_count_is_the_same(name, now):
    record, before = now[name], BEFORE[name]
    assert set(before) == {"scores", "counts", "images", "per_class"}
    assert record.images == before["images"]
    for part in ("scores", "per_class"):
        assert getattr(record, part) == pytest.approx(before[part], abs=10 * TIES, nan_ok=True), (
            part
        )
    assert set(record.counts) == set(before["counts"])
    for part, expected in before["counts"].items():
        wanted = np.array(expected)
        assert np.abs(np.array(record.counts[part]) - wanted).sum() <= TIES * wanted.sum(), part
