"""Files that are no records, in every way: left out with a reason, and nothing else is lost."""

import dataclasses
import json
import os
from types import SimpleNamespace

import pytest
from conftest import REPOSITORY
from reported import committed

from evaluation.records import checked
from evaluation.records.checked import CheckedSetting, find_record
from evaluation.records.json_file import LARGEST
from evaluation.records.query import read_frame
from evaluation.records.record import read_record, read_records
from evaluation.records.spreadsheet import frame_csv
from evaluation.report.entry import read_entries
from evaluation.report.page import Content, render

FOLDER = REPOSITORY / "results/toy/records"


def changed(place, value):
    found = committed()
    owner = found
    for name in place[:-1]:
        owner = owner[name]
    owner[place[-1]] = value
    return json.dumps(found)


ODD = {
    "brackets": ("[" * 100_000, "it is nested deeper than 32 levels"),
    "deep": (changed(["setting", "x"], json.loads("[" * 40 + "]" * 40)),
             "it is nested deeper than 32 levels"),
    "digits": (changed(["images"], 10**4000), "a whole number of 4001 digits is too large"),
    "more digits": ('{"images": 1' + "0" * 9999 + "}",
                    "a whole number of 10000 digits is too large"),
    "nan": (changed(["scores", "miou"], float("nan")), "NaN is no finite number"),
    "infinity": (changed(["scores", "miou"], float("inf")), "Infinity is no finite number"),
    "1e999": ('{"schema": 1e999}', "1e999 is no finite number"),
    "twice": (json.dumps(committed())[:-1] + ', "images": 7}', "it has 'images' twice"),
    "empty": ("", "it is no JSON: Expecting value: line 1 column 1 (char 0)"),
    "latin-1": ("é".encode("latin-1"), "its text is no UTF-8: unexpected end of data"),
    "surrogate": (changed(["names", "title"], "\ud800"),
                  "its text is no UTF-8: surrogates not allowed"),
    "list": ("[1]", "expected schema 2, found none"),
    "old": ('{"schema": 1}', "expected schema 2, found 1"),
    "more": (changed(["colour"], "red"), "colour: unexpected keyword argument"),
    "key": (changed(["key"], "a" * 11),
            f"key: string should match pattern '^[0-9a-f]{{12}}$', found '{'a' * 11}'"),
    "score": (changed(["scores", "miou"], "0.5"),
              "scores.miou: input should be a valid number, found '0.5'"),
    "percent": (changed(["scores", "miou"], 26.0),
                "scores.miou: input should be less than or equal to 1, found 26.0"),
    "name of a score": (changed(["scores", "dataset"], 0.5),
                        "scores: 'dataset' cannot be the name of a score"),
    "per_class": (changed(["per_class"], [0.5]),
                  "per_class: input should be a valid dictionary, found a list"),
    "ragged": (changed(["counts", "matrix"], [[1], [2, 3]]),
               "counts.matrix: expected rows of one length"),
    "count": (changed(["counts", "matrix"], [[1], [-2]]),
              "counts.matrix: expected whole numbers of 0 or more"),
    "truth": (changed(["counts", "matrix"], [True]),
              "counts.matrix: expected whole numbers of 0 or more"),
    "speed": (changed(["cost", "images_per_second"], "fast"),
              "cost: images_per_second: input should be a valid number, found 'fast'"),
    "device": (changed(["cost", "device"], {"a": 1}),
               "cost: expected text or a number for device, found an object"),
    "date": (changed(["created"], "yesterday"),
             "created: expected a date such as 2026-01-02T03:04:05+00:00"),
    "day": (changed(["created"], "2026-02-31"), "created: day is out of range for month"),
    "class": (changed(["setting", "dataset", "_target_"], 5),
              "setting: expected text for _target_, found 5"),
    "part": (changed(["setting"], {"_target_": "evaluation.setting.Setting"}),
             "setting: expected an object with _target_ for segmenter"),
    "slash": (changed(["names", "dataset"], "../../etc/passwd"),
              "names: dataset '../../etc/passwd' cannot be part of a file name"),
    "escape": (changed(["names", "model"], "\x1b[2J"),
               r"names: model '\x1b[2J' cannot be part of a file name"),
    "long": (changed(["names", "dataset"], "x" * 5000),
             "names: dataset, method and model are too long for a file name of 220"),
    "no column": (changed(["titles"], {}), "titles: expected those of scores, found none"),
    "title": (changed(["titles", "foo"], "Foo"), "titles: expected those of scores, found 'foo'"),
    "limit": (changed(["limit"], 3), "images: found 200, more than the limit of 3"),
    "weights": (changed(["model", "sha256"], None), "hashes.weights: expected model.sha256"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_a_file_that_is_no_record(name, tmp_path):
    content, reason = ODD[name]
    path = tmp_path / "odd.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError) as caught:
        read_record(path)
    assert str(caught.value) == f"{path} is not a record: {reason}"
    (tmp_path / "good.json").write_text(json.dumps(committed()), encoding="utf-8")
    found, others = read_records(tmp_path)
    assert ([path.name for _, path in found], others) == (["good.json"], [f"odd.json: {reason}"])


@pytest.mark.parametrize("record", sorted(FOLDER.glob("*.json"))[:3], ids=lambda path: path.stem)
def test_what_is_committed_is_a_record(record):
    assert json.loads(json.dumps(dataclasses.asdict(read_record(record)))) == json.loads(
        record.read_text(encoding="utf-8")
    )


def test_what_is_no_file(tmp_path):
    (tmp_path / "good.json").write_text(json.dumps(committed()), encoding="utf-8")
    with (tmp_path / "huge.json").open("wb") as stream:
        stream.truncate(2 * 2**30)  # a hole: it takes no room
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "alone").mkdir()
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    (tmp_path / "lost.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    (tmp_path / "a\x1b[2J\n.json").write_text("")
    found, others = read_records(tmp_path)
    assert len(found) == 1
    assert others == [
        r"a\x1b[2J\n.json: it is no JSON: Expecting value: line 1 column 1 (char 0)",
        "folder.json: it is no regular file",
        f"huge.json: it has more than {LARGEST // 2**20} MiB",
        "loop.json: Too many levels of symbolic links",
        "lost.json: No such file or directory",
        "pipe.json: it is no regular file",
        "zero.json: it is no regular file",
    ]


def test_a_name_that_has_no_encoding(tmp_path):
    """On a disk names are bytes; what is written of them is text."""
    path = tmp_path / os.fsdecode(b"\xff.json")
    try:
        path.write_text(json.dumps(committed()), encoding="utf-8")
    except OSError:
        pytest.skip("this disk takes only names that are text")
    frame, _ = read_frame(tmp_path)
    assert list(frame["file"]) == [r"\udcff.json"]
    assert frame_csv(frame).encode()
    entries, unread = read_entries(tmp_path)
    assert render(Content(entries=entries, unread=unread)).encode()


def checked_like(record):
    setting = SimpleNamespace(segmenter=SimpleNamespace(models=()))
    return CheckedSetting(
        setting, record.key, record.names, record.hashes, (), record.code.get("files", {})
    )


def test_what_lies_in_the_place_of_a_record(tmp_path, monkeypatch):
    """It is not valid, whatever it is; only a folder cannot be replaced."""
    path = tmp_path / "good.json"
    path.write_text(json.dumps(committed()), encoding="utf-8")
    record = read_record(path)
    monkeypatch.setattr(checked, "code", lambda: record.code)
    asked, place = checked_like(record), tmp_path / record.file_name
    place.write_text(json.dumps(committed()), encoding="utf-8")
    assert find_record(asked, tmp_path) == (record, [])
    place.unlink()
    os.mkfifo(place)
    assert find_record(asked, tmp_path) is None
    place.unlink()
    place.mkdir()
    with pytest.raises(ValueError) as caught:
        find_record(asked, tmp_path)
    assert str(caught.value) == f"{place} is a folder, and the record would be written there"
