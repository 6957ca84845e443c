"""Records: whole or not there, and the same key for the same setting only."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from drawn import CLASSES, Noise, scores_of, setting_of, with_backbone, with_method

from evaluation.measure.evaluate import evaluate
from evaluation.records.checked import check_setting, find_record, make_record
from evaluation.records.names import names_of
from evaluation.records.record import SCHEMA, read_record, write_record
from evaluation.records.warnings import warnings_of
from evaluation.run.rerun import differences
from evaluation.whole_files import prepare_folder
from gem.backbones import OpenClip
from gem.methods import Clip, Gem
from gem.resize import Square
from gem.vocabulary import Prompts
from gem.windows import SlidingWindow


@pytest.fixture(scope="module")
def setting(small):
    return setting_of(small, limit=2)


@pytest.fixture(scope="module")
def result(setting):
    return evaluate(setting)


@pytest.fixture(scope="module")
def record(setting, result):
    return make_record(check_setting(setting), result)


def test_a_record_says_everything(record, result):
    assert record.schema == SCHEMA
    assert record.scores == scores_of(result.outcome)
    assert record.counts == result.outcome.counts
    assert list(record.per_class) == ["background", *CLASSES]
    assert record.names["dataset"] == "noise"
    assert (record.names["method"], record.names["title"]) == ("gem", "GEM")
    assert record.titles == {
        "miou": "mIoU", "miou_foreground": "mIoU fg", "heatmap_iou": "map IoU",
        "pixel_accuracy": "pix acc",
    }  # fmt: skip
    assert (record.images, record.limit) == (2, 2)
    assert record.model["weights"] == "embedded"
    assert record.hashes["weights"] == record.model["sha256"]
    assert record.model["text"] == result.text
    assert record.setting["segmenter"]["method"]["iters"] == 1
    assert record.setting["segmenter"]["method"]["_target_"] == "gem.Gem"
    assert record.cost["seconds"] > 0
    assert record.code["packages"]["torch"]
    assert "2 of the 7 images of the split" in record.warnings


def test_what_is_written_is_read(record, tmp_path):
    path = write_record(record, tmp_path)
    assert path == tmp_path / record.file_name
    assert path.name == f"noise-gem-small-{record.key}.json"
    assert read_record(path) == record
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("broken", ["dumps", "fsync", "replace"])
def test_a_record_is_there_whole_or_not_at_all(broken, record, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("no space left on device")

    owner = {"dumps": json, "fsync": os, "replace": Path}[broken]
    monkeypatch.setattr(owner, broken, fail)
    with pytest.raises(OSError, match="no space left"):
        write_record(record, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_earlier_record(record, tmp_path):
    path = write_record(record, tmp_path)
    before = path.read_bytes()
    unwritable = replace(record, scores={"miou": float("nan")})
    said = r"^no record can be written of it: scores\.miou: input should be .*, found nan$"
    with pytest.raises(ValueError, match=said):
        write_record(unwritable, tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_another_schema(record, tmp_path):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(asdict(record) | {"schema": SCHEMA + 1}), encoding="utf-8")
    said = rf"old\.json is not a record: expected schema {SCHEMA}, found {SCHEMA + 1}$"
    with pytest.raises(ValueError, match=said):
        read_record(path)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"schema": 2}', '"text"'])
def test_a_file_that_is_no_record(content, tmp_path):
    path = tmp_path / "odd.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"odd\.json is not a record: "):
        read_record(path)


def key(setting, result):
    return make_record(check_setting(setting), result).key


def test_the_key_does_not_say_where_or_how_fast(setting, result, record):
    moved = replace(setting, dataset=Noise(root="elsewhere"), batch_size=3, workers=0)
    assert key(moved, result) == record.key
    assert key(replace(setting), result) == record.key


def other_settings(setting):
    protocol = setting.protocol
    methods = [
        Clip(), Gem(iters=2), Gem(temperature="standard"), Gem(temperature=0.5), Gem(blocks=3),
        Gem(temperature_scale=2.0), Gem(normalize=False), Gem(projections=("q",)), Gem(mlp=True),
    ]  # fmt: skip
    rules = [
        replace(protocol, name="other"), replace(protocol, resize=Square(size=40)),
        replace(protocol, windows=SlidingWindow(size=24, stride=8)),
        replace(protocol, min_max=True),
        replace(protocol, logit_scale=50.0), replace(protocol, reduce="mean"),
        replace(protocol, background=0.5),
    ]  # fmt: skip
    yield from (with_method(setting, method) for method in methods)
    yield from (replace(setting, protocol=rule) for rule in rules)
    yield replace(setting, prompts=Prompts(templates=("{}.",)))
    yield replace(setting, limit=3)
    yield replace(setting, dataset=Noise(order=(1, 0, 2)))
    yield replace(setting, dataset=Noise(background=False))
    yield with_backbone(setting, replace(setting.segmenter.backbone, precision="bf16"))


def test_the_key_depends_on_everything_else(setting, result, record):
    keys = [key(other, result) for other in other_settings(setting)]
    assert len({record.key, *keys}) == 1 + len(keys)


def test_the_key_depends_on_the_content_of_the_weights(setting, result, tmp_path):
    """And not on the name of their file."""
    weights = Path(setting.segmenter.backbone.model) / "model.safetensors"
    named = {"model": setting.segmenter.backbone.model, "quick_gelu": False, "device": "cpu"}

    def key_of(path):
        return key(with_backbone(setting, OpenClip(weights=str(path), **named)), result)

    same, other = tmp_path / "same.safetensors", tmp_path / "other.safetensors"
    content = weights.read_bytes()
    same.write_bytes(content)
    other.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert key_of(same) == key_of(weights)
    assert key_of(other) != key_of(weights)


def test_random_weights_are_loud(setting, folder):
    random = with_backbone(setting, OpenClip(model=str(folder), device="cpu"))
    assert warnings_of(random)[0] == "RANDOM WEIGHTS: these scores mean nothing"
    assert warnings_of(replace(setting, limit=None)) == []


def test_the_hash_of_the_text_decides_nothing(record, setting, tmp_path):
    """Another CPU rounds otherwise; and records from before it was kept are read."""
    model = {name: value for name, value in record.model.items() if name != "text"}
    old = replace(record, model=model)
    path = write_record(old, tmp_path)
    assert read_record(path) == old
    assert find_record(check_setting(setting), tmp_path) == (old, [])
    assert differences(old, record) == []


def test_options_that_were_changed(setting):
    method = Gem(iters=3, projections=("q", "v"))
    names = names_of(with_method(setting, method))
    assert names["options"] == "iters=3 projections=qv"
    assert names_of(setting)["options"] == ""


def test_the_folder_is_made(tmp_path):
    prepare_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_file_in_the_way_of_the_folder(tmp_path):
    (tmp_path / "taken").write_text("")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(PermissionError, match=rf"^output={folder}: cannot write there: \w"):
            prepare_folder(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match=r"cannot write there: Permission denied$"):
        prepare_folder(tmp_path)
