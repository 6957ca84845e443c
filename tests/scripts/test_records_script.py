"""The script over a folder of records: list, filter, export."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from conftest import load_script
from drawn import setting_of

from evaluation.data import Toy
from evaluation.records.query import read_frame, select, sort
from evaluation.records.record import write_record
from evaluation.run.job import run

script = load_script("records")


@pytest.fixture(scope="module")
def recorded(small, tmp_path_factory):
    """A real record of drawn scenes."""
    setting = setting_of(small, dataset=Toy(scenes=2, size=40))
    done = run(setting, tmp_path_factory.mktemp("one"))
    return done.record, done.path


def variant(record, key, **changes):
    """The record as if of another setting."""
    names = record.names | changes.pop("names", {})
    segmenter = record.setting["segmenter"]
    method = segmenter["method"] | changes.pop("method", {})
    setting = record.setting | {"segmenter": segmenter | {"method": method}}
    return replace(record, key=key * 12, names=names, setting=setting, **changes)


@pytest.fixture
def records(recorded, tmp_path):
    """Three records, a copy, and three files that are none."""
    record, _ = recorded
    folder = tmp_path / "records"
    named = {"dataset": "voc", "options": "iters=2"}
    best, low = (record.scores | {"miou": miou} for miou in (0.5, 0.25))
    write_record(variant(record, "a", created="2026-01-03", scores=best), folder)
    more = {"names": named, "method": {"iters": 2}, "images": 1449, "scores": low}
    copied = write_record(variant(record, "b", created="2026-01-02", **more), folder)
    none = dict.fromkeys(record.scores)
    other = {"method": "clip"}
    write_record(variant(record, "c", created="2026-01-01", names=other, scores=none), folder)
    shutil.copy(copied, folder / "from-elsewhere.json")
    (folder / "notes.txt").write_text("not a record")
    (folder / "odd.json").write_text("[1]")
    copied = json.loads(copied.read_text(encoding="utf-8")) | {"names": ["toy"]}
    (folder / "wrong.json").write_text(json.dumps(copied), encoding="utf-8")
    (folder / ".hidden.part").write_text("")
    return folder


def keys(frame):
    return "".join(key[0] for key in frame["key"])


def test_a_folder_is_a_frame(records):
    frame, others = read_frame(records)
    assert keys(frame) == "cba"
    assert others == [
        "notes.txt: it is no JSON: Expecting value: line 1 column 1 (char 0)",
        "odd.json: expected schema 2, found none",
        "wrong.json: names: input should be a valid dictionary, found a list",
    ]
    assert frame["miou"].max() == 50
    assert list(frame["method.iters"]) == [1, 2, 1]
    assert frame["protocol.resize.size"].unique() == [40]


FILTERS = {
    "dataset=toy": "ca", "dataset=voc,toy": "cba", "dataset!=voc": "ca", "method=CLI*": "c",
    "images>100": "b", "images<=2": "ca", "miou>=50": "a", "miou<50": "b", "iters=2": "b",
    "gem.iters=1": "ca", "method.iters=1.0": "ca", "options=iters*": "b", "miou=null": "c",
    "miou!=50": "cb", "key=a*": "a", "method.mlp=false": "cba", "dataset=ade20k": "",
    "projections=qkv": "cba",
}  # fmt: skip


@pytest.mark.parametrize("word", FILTERS)
def test_filters(word, records):
    assert keys(select(read_frame(records)[0], [word])) == FILTERS[word]


def test_filters_add_up(records):
    frame, _ = read_frame(records)
    assert keys(select(frame, ["method=gem", "images<100"])) == "a"
    assert keys(select(frame, ["dataset=ade20k", "images>1"])) == ""


@pytest.mark.parametrize(
    ("by", "order"), [("-miou", "abc"), ("created", "cba"), ("-key", "cba"), ("images", "cab")]
)
def test_order(by, order, records):
    assert keys(sort(read_frame(records)[0], by)) == order


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("colour=red", "colour: no such column; csv=FILE writes all "),
        ("temprature=1", "temprature: no such column; nearest are method.temperature, "),
        ("datset=toy", "datset: no such column; nearest are dataset, "),
        ("size=3", "size: one of "),
        ("images>many", "images>many: > compares with a number"),
        ("voc", "voc: expected a filter such as dataset=voc or 'images>100'"),
    ],
)
def test_wrong_filters(word, reason, records):
    with pytest.raises(ValueError) as caught:
        select(read_frame(records)[0], [word])
    assert str(caught.value).startswith(reason)


def test_folders_without_records(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        read_frame(tmp_path / "none")
    with pytest.raises(ValueError, match="no records there"):
        read_frame(tmp_path)


def test_the_table_and_the_csv(records, tmp_path, capsys):
    target = tmp_path / "out" / "all.csv"
    words = ["method=gem", f"folder={records}", "sort=-miou", f"csv={target}"]
    assert script.main(words) == 0
    said = capsys.readouterr().out
    assert "no record: odd.json: expected schema 2, found none\n" in said
    assert said.index("aaaaaaaaaaaa") < said.index("bbbbbbbbbbbb")
    assert "cccccccccccc" not in said
    frame = pd.read_csv(target)
    assert list(frame["key"].str[0]) == ["a", "b"]
    assert frame["miou"][0] == 50


def test_an_empty_selection_is_an_empty_table(records, capsys):
    assert script.main(["dataset=ade20k", f"folder={records}"]) == 0
    assert "0 records" in capsys.readouterr().out
