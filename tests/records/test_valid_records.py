"""Which records stand for an evaluation: whole, of the same code and data, and not forced."""

from dataclasses import replace

import pytest
from drawn import setting_of, with_method
from PIL import Image

from evaluation.data import Pairs
from evaluation.records import checked
from evaluation.records.checked import check_setting
from evaluation.records.record import read_record, write_record
from evaluation.run.job import Done, find, find_or_run, said_of_other_code
from evaluation.run.output import OutputOptions
from evaluation.run.sweep import run_sweep
from gem.methods import Clip

NUMBERS = ("key", "names", "setting", "scores", "per_class", "counts", "images", "hashes")


@pytest.fixture(scope="module")
def setting(small):
    return setting_of(small, limit=3)


def numbers(record):
    return [getattr(record, name) for name in NUMBERS]


def test_a_setting_with_a_record_is_skipped(setting, seen, tmp_path, capsys):
    (before,) = run_sweep([setting], tmp_path)
    seen.clear()
    one, other = run_sweep([setting, with_method(setting, Clip())], tmp_path)
    assert (one.skipped, other.skipped) == (True, False)
    assert (one.record, one.path) == (before.record, before.path)
    assert sum(seen) == 3
    assert "1 of 2 settings skipped: their records are in" in capsys.readouterr().out
    done = find(check_setting(setting), tmp_path)
    assert (done.record, done.path) == (before.record, before.path)


def test_force_evaluates_again(setting, seen, tmp_path):
    run_sweep([setting], tmp_path)
    seen.clear()
    (done,) = run_sweep([setting], tmp_path, force=True)
    assert not done.skipped
    assert sum(seen) == 3


@pytest.mark.parametrize("content", ["", "{", '{"schema": 1}', "[" * 100_000, '{"schema": NaN}'])
def test_a_broken_record_is_not_taken(content, setting, tmp_path):
    (before,) = run_sweep([setting], tmp_path)
    before.path.write_text(content, encoding="utf-8")
    (done,) = run_sweep([setting], tmp_path)
    assert not done.skipped
    assert numbers(read_record(before.path)) == numbers(before.record)


@pytest.fixture
def other_code(monkeypatch):
    """From now on a file of the code is another one."""

    def change(name="gem/trace.py"):
        files = checked.code_files
        monkeypatch.setattr(checked, "code_files", lambda *given: files(*given) | {name: "0" * 12})

    return change


def test_a_record_of_other_code_is_not_taken(setting, tmp_path, other_code, capsys):
    (before,) = run_sweep([setting], tmp_path)
    other_code()
    (done,) = run_sweep([setting], tmp_path)
    assert not done.skipped
    assert done.path == before.path  # the code is not in the key
    assert done.record.hashes["code"] != before.record.hashes["code"]
    assert done.record.hashes | before.record.hashes == before.record.hashes
    assert done.record.code["files"]["gem/trace.py"] == "0" * 12
    said = "note: the record is of other code (gem/trace.py): it is made again; reuse=true takes"
    assert said in " ".join(capsys.readouterr().out.split())
    (again,) = run_sweep([setting], tmp_path)
    assert again.skipped
    assert not again.other_code


def test_one_of_other_code_is_taken_if_asked_for(setting, tmp_path, other_code, capsys, seen):
    settings = [setting, with_method(setting, Clip())]
    before = run_sweep(settings, tmp_path)
    other_code()
    seen.clear()
    done = run_sweep(settings, tmp_path, reuse=True)
    assert [(one.skipped, one.other_code) for one in done] == [(True, ("gem/trace.py",))] * 2
    assert [one.record for one in done] == [one.record for one in before]
    assert not seen
    said = "note: 2 records are of other code (gem/trace.py), and taken as recorded (reuse=true)"
    assert said in " ".join(capsys.readouterr().out.split())
    kept = OutputOptions(output=str(tmp_path), labels="", reuse=True)
    assert find_or_run(setting, kept).other_code == ("gem/trace.py",)
    again = find_or_run(setting, OutputOptions(output=str(tmp_path), labels=""))
    assert (again.skipped, again.other_code) == (False, ())


def test_other_data_is_never_reused(setting, tmp_path, other_code):
    (before,) = run_sweep([setting], tmp_path)
    record = replace(before.record, hashes=before.record.hashes | {"data": "0" * 12})
    write_record(record, tmp_path)
    other_code()
    assert not run_sweep([setting], tmp_path, reuse=True)[0].skipped


def test_a_record_that_does_not_name_its_files(setting, tmp_path):
    """Those from before they were kept."""
    (before,) = run_sweep([setting], tmp_path)
    record = before.record
    code = {name: value for name, value in record.code.items() if name != "files"}
    hashes = record.hashes | {"code": "0" * 12}
    write_record(replace(record, code=code, hashes=hashes), tmp_path)
    assert find(check_setting(setting), tmp_path).other_code == ("a file that it does not name",)


def test_what_a_sentence_names():
    one = Done(None, None, None, other_code=("a.py", "b.py", "c.py", "d.py", "e.py"))
    assert said_of_other_code([one], reuse=False) == (
        "the record is of other code (a.py, b.py, c.py and 2 more): it is made again; reuse=true "
        "takes what is there"
    )


def test_a_record_of_other_data_is_not_taken(setting, tmp_path):
    for name, width in (("a", 60), ("b", 70)):
        for part, kind in (("images", "jpg"), ("masks", "png")):
            (tmp_path / part).mkdir(exist_ok=True)
            Image.new("L", (width, 50)).save(tmp_path / part / f"{name}.{kind}")

    def found(limit=None):
        pairs = Pairs(
            dataset="toy", root=str(tmp_path), image="images/{id}.jpg", mask="masks/{id}.png"
        )
        (done,) = run_sweep([replace(setting, dataset=pairs, limit=limit)], tmp_path / "records")
        return done

    before, first = found(), found(limit=1)
    assert found().skipped
    assert before.record.hashes["data"] != first.record.hashes["data"]
    Image.new("L", (70, 50), 3).save(tmp_path / "masks" / "b.png")
    after = found()
    assert not after.skipped
    assert after.path == before.path
    assert after.record.hashes["data"] != before.record.hashes["data"]
    assert found(limit=1).skipped  # its samples are as they were


def test_a_record_of_other_versions_is_not_taken(setting, tmp_path, monkeypatch):
    """As a pass that was killed is not gone on from: another version may round in another way."""
    (before,) = run_sweep([setting], tmp_path)
    code = before.record.code
    other = code | {"packages": code["packages"] | {"torch": "9.9"}}
    monkeypatch.setattr(checked, "code", lambda: other)
    (done,) = run_sweep([setting], tmp_path)
    assert not done.skipped
    assert done.path == before.path
    assert done.record.code == other
