"""Records as rows of the table of a sweep."""

from dataclasses import replace

import pytest
from drawn import setting_of

from evaluation.measure.evaluate import evaluate
from evaluation.records.checked import check_setting, make_record
from evaluation.records.flatten import ablation, flat


@pytest.fixture(scope="module")
def records(small):
    """Of one and of two iterations."""
    setting = setting_of(small, limit=1)
    record = make_record(check_setting(setting), evaluate(setting))
    segmenter = record.setting["segmenter"]
    changed = segmenter | {"method": segmenter["method"] | {"iters": 2}}
    other = record.setting | {"segmenter": changed}
    return [record, replace(record, setting=other, key="0" * 12)]


def test_an_option_has_a_dotted_name(records):
    found = flat(records[0].setting)
    assert (found["method"], found["method.iters"]) == ("Gem", 1)
    assert found["method.projections"] == "qkv"
    assert found["protocol.resize"] == "ShortSide"
    assert found["protocol.resize.size"] == 40
    assert flat({"templates": ["a {}", "the {}"]}) == {"templates": "a {}, the {}"}


def test_the_table_has_what_differs(records):
    columns, rows = ablation(records)
    assert columns[:3] == ["method.iters", "images", "mIoU (%)"]
    headline = 100 * records[0].scores["miou"]
    assert [row[:3] for row in rows] == [[1, 1, headline], [2, 1, headline]]


def test_the_table_of_several_methods_has_no_column_of_what_only_one_has(records):
    one, two = records
    clip = two.setting["segmenter"] | {"method": {"_target_": "gem.Clip"}}
    setting, names = two.setting | {"segmenter": clip}, two.names | {"method": "c"}
    other = replace(two, setting=setting, names=names)
    scores = {"pmiou": None, "pmiou_all": 0.5}
    points = replace(other, scores=scores, titles={"pmiou": "p-mIoU"})
    columns, rows = ablation([one, other])
    assert columns[:2] == ["method", "images"]
    columns, rows = ablation([one, two, points])
    assert columns[:3] == ["method", "method.iters", "images"]
    assert [row[:2] for row in rows] == [["gem", 1], ["gem", 2], ["c", None]]
    assert columns[-1] == "p-mIoU (%)"
    assert rows[2][3:] == [None] * (len(columns) - 3)


def test_the_table_of_one_record_has_its_names(records):
    columns, rows = ablation([records[0]])
    assert columns[:5] == ["dataset", "method", "model", "protocol", "weights"]
    assert rows[0][:3] == ["noise", "gem", "small"]
