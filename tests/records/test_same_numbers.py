"""The committed results of the drawn scenes are, number by number, those of the code before.

``tests/reference/records.json`` holds the scores and counts of the records that the code before
the redesign into rooms made. A change that moves a number replaces it, and says both numbers in the
changelog.
"""

import json

import pytest
from conftest import REPOSITORY

from evaluation.records.record import read_record

RESULTS = REPOSITORY / "results"
BEFORE = json.loads((REPOSITORY / "tests/reference/records.json").read_text(encoding="utf-8"))
PARTS = ("dataset", "method", "options", "model", "protocol")


@pytest.fixture(scope="module")
def now():
    """The committed records by folder and names."""
    found = {}
    for path in sorted(RESULTS.glob("**/records/**/*.json")):
        record = read_record(path)
        folder = path.relative_to(RESULTS).parent.as_posix()
        found[" ".join([folder, *(record.names[part] for part in PARTS)])] = record
    return found


def test_no_record_is_lost(now):
    assert sorted(now) == sorted(BEFORE)
    assert len(BEFORE) == 51


@pytest.mark.parametrize("name", BEFORE)
def test_every_score_and_count_is_the_same(name, now):
    record = now[name]
    for part, expected in BEFORE[name].items():
        found = json.loads(json.dumps(getattr(record, part)))
        assert found == expected, part
