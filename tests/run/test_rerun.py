"""A recorded setting, evaluated again."""

import json
import shutil
from dataclasses import asdict, replace

import pytest
from conftest import load_script
from drawn import setting_of

from evaluation.data import Toy
from evaluation.records.record import read_record, write_record
from evaluation.run.job import run
from evaluation.run.rerun import differences, rerun
from evaluation.run.rerun import setting_of as recorded_setting
from gem.backbones import OpenClip

script = load_script("records")


@pytest.fixture(scope="module")
def recorded(small, tmp_path_factory):
    """A real record of drawn scenes."""
    setting = setting_of(small, dataset=Toy(scenes=2, size=40))
    done = run(setting, tmp_path_factory.mktemp("one"))
    return done.record, done.path


def test_a_record_is_reproduced(recorded, capsys):
    _, path = recorded
    before = path.read_bytes()
    # both images are still one batch: in others, a near-tie might go the other way
    assert script.main(["rerun", str(path), "batch_size=3", "backbone.device=cpu"]) == 0
    assert f"every score and count is the same as {path}" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_a_record_that_is_not(recorded, tmp_path, capsys):
    record, _ = recorded
    model = record.model | {"sha256": "0"}
    scores = record.scores | {"miou": 0.75}
    other = replace(record, scores=scores, hashes={"weights": "0"}, model=model)
    assert script.main(["rerun", str(write_record(other, tmp_path))]) == 1
    said = capsys.readouterr().out
    assert "scores.miou: 0.75 in the record" in said
    assert "hashes.weights: 0 in the record" in said
    assert " values differ from" in said


def test_moved_weights_are_compared_by_content(recorded, tmp_path):
    record, _ = recorded
    model = record.setting["segmenter"]["backbone"]["model"]
    same = shutil.copy(f"{model}/model.safetensors", tmp_path / "same.safetensors")
    moved = {"backbone.weights": str(same), "backbone.quick_gelu": False}
    setting = recorded_setting(record, moved)
    assert setting.segmenter.backbone == OpenClip(
        model=model, weights=str(same), device="cpu", quick_gelu=False
    )
    assert differences(record, rerun(setting)) == []


def test_the_file_holds_what_was_found(recorded):
    record, path = recorded
    assert differences(record, read_record(path)) == []
    content = json.loads(json.dumps(asdict(record)))
    assert content["setting"]["dataset"]["scenes"] == 2


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "rerun: which record? Give its file"),
        (["{path}", "batch_size"], "batch_size: expected KEY=VALUE, such as dataset.root=DIR"),
        (["{path}", "dataset.root=a"], "dataset.root: the record's setting has no such key"),
        (["{path}", "a.b.c=a"], "a.b.c: the record's setting has no such key"),
        (["{path}", "method.iters=2"], "method.iters decides the numbers; what can be "),
    ],
)
def test_wrong_words_for_a_rerun(words, reason, recorded):
    with pytest.raises(ValueError) as caught:
        script.main(["rerun", *(word.format(path=recorded[1]) for word in words)])
    assert str(caught.value).startswith(reason)


def test_a_record_of_foreign_parts_is_refused(recorded):
    record, _ = recorded
    foreign = record.setting | {"dataset": {"_target_": "os.system", "command": "true"}}
    with pytest.raises(ValueError, match="only options of gem and evaluation can be rebuilt"):
        recorded_setting(replace(record, setting=foreign), {})
    with pytest.raises(ValueError, match="the record's setting is a Gem"):
        recorded_setting(replace(record, setting=record.setting["segmenter"]["method"]), {})
