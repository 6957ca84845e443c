"""Records for settings: taken where they are valid, measured where not; pictures of them."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

from drawn import Noise, setting_of
from reported import record

from evaluation.measure import evaluate as runner
from evaluation.pictures.predictions import draw_panels
from evaluation.records.query import read_frame
from evaluation.records.record import write_record
from evaluation.setting.identity import describe
from evaluation.tables import fill
from evaluation.tables.obstacles import find_obstacles
from gem.backbones import OpenClip, TimmVit
from gem.methods import Clip, MaskClip, ProxyClip


def test_speeds_are_measured_once(small, tmp_path, monkeypatch):
    setting, alone = setting_of(small), tmp_path / "alone"
    first = fill.time_alone(setting, alone)
    known, runs = runner.evaluate, []
    monkeypatch.setattr(runner, "evaluate", lambda one: runs.append(one) or known(one))
    assert fill.time_alone(setting, alone) == first
    assert runs == []
    fill.time_alone(setting, alone, force=True)
    fill.time_alone(replace(setting, batch_size=2), alone)
    assert len(runs) == 2 * (1 + fill.RUNS)


def test_a_speed_that_fails_is_told_and_the_rest_goes_on(small, tmp_path):
    good, bad = setting_of(small), setting_of(small, dataset=Noise(broken="6"))
    plan = SimpleNamespace(settings=lambda *, timed: (bad, good) if timed else ())
    found = fill.fill_tables([plan], tmp_path)
    reason = "6.jpg cannot be read as an image: it is broken"
    assert list(found.speeds) == [good]
    assert found.why == {bad: reason}
    assert found.failed == [f"speed of gem on noise: {reason}"]


def test_the_folder_of_speeds_is_none_of_the_records(small, tmp_path):
    write_record(fill.time_alone(setting_of(small), tmp_path / "alone"), tmp_path)
    frame, others = read_frame(tmp_path)
    assert (len(frame), others) == (1, [])


def test_of_several_records_of_another_machine_the_newest_is_shown(small, tmp_path):
    setting = setting_of(small)
    for key, created in (("a" * 12, "2026-01-03"), ("b" * 12, "2026-01-01")):
        write_record(record(key=key, created=created, setting=describe(setting)), tmp_path)
    found = fill.recorded([setting, setting_of(small, limit=3)], tmp_path)
    assert {one: record.key for one, record in found.items()} == {setting: "a" * 12}


def test_pictures_of_several_backbones_have_their_names(folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    settings = [
        setting_of(OpenClip(model=str(model), weights="embedded", device="cpu"), method=method)
        for model in (folder, other)
        for method in (Clip(), MaskClip())
    ]
    found, undrawn = draw_panels(settings, tmp_path)
    assert [path.name for path in found] == [
        "panel-noise-small-embedded.png", "panel-noise-other-embedded.png"
    ]  # fmt: skip
    assert undrawn == []
    broken = [replace(one, dataset=Noise(broken="6")) for one in settings]
    found, undrawn = draw_panels(broken, tmp_path)
    assert found == []
    assert len(undrawn) == 2
    assert "6.jpg cannot be read" in undrawn[0]


def test_a_companion_without_weights_is_an_obstacle_of_its_readers_alone(small):
    plain = setting_of(small)
    beside = TimmVit(model="vit_base_patch8_224.dino", weights="/no/such.pt", device="cpu")
    reader = setting_of(small, method=ProxyClip(companion=beside))
    found = find_obstacles([plain, reader])
    assert list(found) == [reader]
    assert found[reader].short == "needs weights: such.pt of vit_base_patch8_224.dino"
