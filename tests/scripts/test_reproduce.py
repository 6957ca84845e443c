"""The command, in this process: what can run runs once, the rest says why."""

from pathlib import Path

import pandas as pd
import pytest
from conftest import load_script

from evaluation.run.sweep import Outcome
from evaluation.tables import fill, obstacles, parts
from evaluation.tables.published import names
from gem.backbones import OpenClip

script = load_script("reproduce")
ALL = ", ".join(names())


@pytest.fixture
def command(folder, tmp_path):
    """The script on the small model of 5 blocks and two drawn scenes."""

    def run(*overrides):
        model = (f"backbone.model={folder}", "backbone.weights=embedded", "short_side=40")
        device = ("backbone.device=cpu", "backbone.quick_gelu=false", "workers=0", "limit=2")
        places = (f"out={tmp_path}/tables", f"output={tmp_path}/records")
        script.run(script.parse([*overrides, *model, *device, *places]))
        return tmp_path

    return run


def frame(folder, name):
    return pd.read_csv(folder / "tables" / f"{name}.csv")


def test_a_table_from_nothing(command, capsys):
    place = command("table=4", "dataset=toy")
    found = frame(place, "table4")
    assert found["paper: VOC"].tolist() == [41.2, 45.1, 45.5, 46.2, 45.6]
    # published with 6 blocks, and the small model has 5
    assert found["ours: toy, tiny"][0] == "the tower has 5 blocks"
    assert found["ours: toy, tiny"][1:].astype(float).between(0, 100).all()
    assert {path.name for path in (place / "tables").iterdir()} == {
        "table4.md", "table4.tex", "table4.csv", "table4.html", "iterations.png", "iterations.svg",
    }  # fmt: skip
    said = capsys.readouterr().out
    assert "NOT ON THE PAPER'S DATASET" in said
    assert "(1) the tower has 5 blocks" in said


def test_a_picture_of_several_methods(command):
    place = command("table=2", "dataset=toy")
    assert (place / "tables" / "panel-toy.png").is_file()


def test_a_second_time_nothing_is_evaluated(command):
    place = command("table=4", "dataset=toy")
    before = {path: path.stat().st_mtime_ns for path in (place / "records").glob("*.json")}
    once = frame(place, "table4")
    command("table=4", "dataset=toy")
    after = {path: path.stat().st_mtime_ns for path in (place / "records").glob("*.json")}
    assert len(before) == 4
    assert after == before
    pd.testing.assert_frame_equal(frame(place, "table4"), once)


def test_points_and_speed(command):
    place = command("table=3", "dataset=toy", "backbone=clip_vit_b16")
    found = frame(place, "table3").set_index("method")
    ours = found["ours: toy_points, clip_vit_b16, p-mIoU"]
    assert 0 <= float(ours["CLIP"]) <= 100
    assert ours["GEM-SAM-CLIP"].startswith("needs weights: published of sam-vit-huge")
    assert ours["GroupViT*"].startswith("needs weights: published of groupvit-gcc-yfcc")
    assert ours["OVSeg*"].startswith("weights of its own code only; bring its maps")
    speed = found["ours: toy_points, clip_vit_b16, fps"]
    assert float(speed["MaskCLIP*"]) > 0


def test_what_cannot_run_says_why_and_is_asked_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GEM_DATA", "/no/such")
    asked = []
    known = parts.describe
    monkeypatch.setattr(parts, "describe", lambda part: asked.append(part) or known(part))
    monkeypatch.setattr(fill, "run_sweep", None)  # nothing may be evaluated
    script.run(script.parse(["table=4", f"out={tmp_path}/tables", f"output={tmp_path}/records"]))
    found = frame(tmp_path, "table4")
    needed = "needs data: voc; needs weights: openai of ViT-B-16"
    assert found["ours: VOC"].tolist() == [needed] * 5
    assert found["difference: VOC"].isna().all()
    backbones = [part for part in asked if type(part).__name__ == "OpenClip"]
    assert len(backbones) == 1
    said = capsys.readouterr().out
    assert "voc: dataset.root=/no/such: there is no such folder" in said
    assert said.count("are not on this machine") == 1


def test_records_of_another_machine_are_shown(command, monkeypatch):
    place = command("table=4", "dataset=toy")
    before = frame(place, "table4")
    hindered = obstacles.Obstacle("needs weights: x", ("x",))
    monkeypatch.setattr(fill, "find_obstacles", lambda settings: dict.fromkeys(settings, hindered))
    command("table=4", "dataset=toy")
    after = frame(place, "table4")
    assert after["ours: toy, tiny"][1:].tolist() == before["ours: toy, tiny"][1:].tolist()
    assert after["ours: toy, tiny"][0] == "needs weights: x"


def test_records_of_another_machine_are_not_drawn_here(command, monkeypatch):
    place = command("table=2", "dataset=toy")
    (place / "tables" / "panel-toy.png").unlink()
    hindered = obstacles.Obstacle("needs weights: x", ("x",))
    monkeypatch.setattr(fill, "find_obstacles", lambda settings: dict.fromkeys(settings, hindered))
    monkeypatch.setattr(OpenClip, "provenance", None)  # to read it would fail
    command("table=2", "dataset=toy")
    assert not (place / "tables" / "panel-toy.png").exists()


def test_what_fails_is_told_and_the_rest_goes_on(command, monkeypatch, capsys):
    known = fill.run_sweep

    def broken(settings, folder, **options):
        assert options["save_every"] == 60
        first, *rest = settings
        error = failed(first)
        return [error, *known(rest, folder, **options)]

    def failed(setting):
        return Outcome(setting, None, None, "7.jpg cannot be read", skipped=False)

    monkeypatch.setattr(fill, "run_sweep", broken)
    place = command("table=4", "dataset=toy", "save_every=60")
    found = frame(place, "table4")["ours: toy, tiny"]
    assert found[1] == "7.jpg cannot be read"
    assert found[2:].astype(float).notna().all()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "failed: gem iters=0 on toy: 7.jpg cannot be read"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([], f"table: say which, one of {ALL}, all"),
        (["4"], "4: expected KEY=VALUE, such as table=4"),
        (["table=4", "force=yes"], "force=yes: expected true or false"),
        (["table=4", "save_every=0"], "save_every=0: expected a number, 0.001 or more"),
        (["table=4", "save_every=x"], "save_every=x: expected a number, 0.001 or more"),
        (
            ["table=4", "logger=wandb"],
            "logger=wandb: tables are not logged; log a sweep, run.py -m logger=wandb",
        ),
    ],
)
def test_overrides_that_nobody_understands(overrides, said):
    with pytest.raises(ValueError) as caught:
        script.parse(overrides)
    assert str(caught.value) == said


def test_requests():
    request = script.parse(["table=1,4", "figure=5", "limit=3", "force=true", "out=x"])
    assert (request.tables, request.given) == (("1", "4", "figure5"), ("limit=3",))
    assert (request.out, request.force, request.save_every) == (Path("x"), True, 120)
    assert script.parse(["table=1", "save_every=0.5"]).save_every == 0.5
    assert script.parse(["table=all"]).tables == names()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([], ""),
        (["limit=3"], ""),
        (["dataset=toy"], "toy-tiny"),
        (["dataset=voc", "backbone=clip_vit_b32"], "voc-clip_vit_b32"),
        (["backbone.weights=/a/my weights.pt"], "my_weights"),
    ],
)
def test_tables_of_other_data_and_models_overwrite_none(words, name):
    assert script.parse(["table=4", *words]).out == Path("results/tables") / name


def test_a_table_of_masks_and_points(command):
    place = command("table=4", "dataset=toy_points")
    assert set(frame(place, "table4")["ours: toy_points, tiny"]) == {
        "toy_points has points, not masks"
    }


def test_all_tables_bring_a_report_and_drawn_scenes_the_embedded_model():
    request = script.parse(["table=all", "dataset=toy"])
    assert request.given == ("backbone=tiny", "dataset=toy")
    assert request.report == Path("results/report")
    named = script.parse(["table=4", "dataset=toy", "backbone=clip_vit_b16"])
    assert named.given == ("dataset=toy", "backbone=clip_vit_b16")
    assert named.report is None


def test_the_report_is_built_from_what_was_written(command, tmp_path, capsys):
    command("table=4", "dataset=toy", f"report={tmp_path}/report")
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "Table 4" in page
    assert "report: " in capsys.readouterr().out
