"""A tracker may fail in every way that there is; the record stays."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from conftest import REPOSITORY
from drawn import setting_of, with_method
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from PIL import Image

from evaluation import launch
from evaluation.launch.command import evaluate_config
from evaluation.pictures import sheet
from evaluation.records.record import write_record
from evaluation.run.job import Done
from evaluation.run.job import run as job
from evaluation.tracking.tracker import NoTracker, track
from evaluation.tracking.wandb import Wandb

FAKE = """
import sys, time
class Settings:
    def __init__(self, **_): pass
class Run:
    def finish(self):
        {finish}
    def __getattr__(self, _): return Anything()
class Anything:
    def __call__(self, *_, **__): return self
    def __getattr__(self, _): return self
def init(**_):
    {init}
    return Run()
Table = Artifact = Image = Anything()
plot = Anything()
"""
RAISE, HANG = "raise ConnectionError('no route to host.\\nTry again')", "time.sleep(1000)"


@pytest.fixture(scope="module")
def records(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    done = job(setting_of(small, limit=1), folder)
    segmenter = done.record.setting["segmenter"]
    changed = segmenter | {"method": segmenter["method"] | {"iters": 2}}
    names = done.record.names | {"options": "iters=2"}
    setting = done.record.setting | {"segmenter": changed}
    other = replace(done.record, setting=setting, names=names, key="0" * 12)
    setting = with_method(done.setting, replace(done.setting.segmenter.method, iters=2))
    return [done, Done(setting, other, write_record(other, folder))]


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Make a module that stands for wandb in the process that imports it."""

    def make(init="pass", finish="pass"):
        (tmp_path / "fake").mkdir()
        text = FAKE.format(init=init, finish=finish)
        (tmp_path / "fake" / "wandb.py").write_text(text, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))

    return make


def told(capsys):
    return capsys.readouterr().out.splitlines()


FAILURES = {
    "raises at the start": ({"init": RAISE}, "no route to host"),
    "raises at the end": ({"finish": RAISE}, "no route to host"),
    "hangs at the start": ({"init": HANG}, "gem did not start in 1 seconds"),
    "hangs at the end": ({"finish": HANG}, "gem did not finish in 1 seconds"),
    "dies": ({"init": "import os; os._exit(7)"}, "its process ended with 7: nothing said"),
    "exits": ({"init": "sys.exit('wandb: bye')"}, "its process ended with 1: wandb: bye"),
}


@pytest.mark.parametrize("way", FAILURES)
def test_a_failure_costs_one_line(way, records, fake, capsys):
    parts, said = FAILURES[way]
    fake(**parts)
    before, start = records[0].path.read_bytes(), time.monotonic()
    track(Wandb(init_timeout=0.2, finish_timeout=0.2), records, group="sweep")
    assert time.monotonic() - start < 30  # the import of a loaded machine; a hang is 1000
    assert told(capsys) == [f"note: wandb: not logged: {said}; the records are written"]
    assert records[0].path.read_bytes() == before


def test_a_process_that_never_ends(records, fake, capsys, monkeypatch):
    """Also if its own clock fails."""
    fake(init="import evaluation.tracking.wandb_process, threading; time.sleep(1000)")
    monkeypatch.setattr("evaluation.tracking.wandb.IMPORT_SECONDS", -1.0)
    monkeypatch.setattr("evaluation.tracking.wandb.patience", lambda _: 0.5)
    track(Wandb(), records[:1])
    said = "wandb took more than 1 seconds"
    assert told(capsys) == [f"note: wandb: not logged: {said}; the records are written"]


def test_wandb_itself_writes_a_run_per_setting_and_a_table(records, tmp_path, monkeypatch, capsys):
    for name in [name for name in os.environ if name.startswith("WANDB")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    track(Wandb(tags=("a tag",)), records, group="a sweep")
    assert told(capsys)[0].startswith(f"wandb: 3 runs, the last: wandb sync {tmp_path}")
    runs = sorted(path.read_bytes() for path in tmp_path.glob("wandb/offline-run-*/run-*.wandb"))
    assert len(runs) == 3
    assert all(b"a sweep" in content and b"a tag" in content for content in runs)
    for done in records:
        assert sum(f"record-{done.record.key}".encode() in content for content in runs) == 1
    assert sum(b"ablation.table.json" in content or b"ablation_" in content for content in runs)
    tables = list(tmp_path.glob("wandb/offline-run-*/files/media/table/ablation*"))
    assert len(tables) == 1
    assert "method.iters" in tables[0].read_text(encoding="utf-8")
    (picture,) = tmp_path.glob("wandb/offline-run-*/files/media/images/panel*.png")
    with Image.open(picture) as panel:
        assert panel.width == sheet.WIDTH


def test_wandb_that_is_not_logged_in_does_not_ask(records, tmp_path, monkeypatch, capsys):
    for name in [name for name in os.environ if name.startswith("WANDB")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    track(Wandb(), records[:1])
    (line,) = told(capsys)
    assert line.startswith("note: wandb: not logged: No API key configured")


def test_without_a_tracker_nothing_happens(records, monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", None)
    track(NoTracker(), records)
    track(Wandb(), [])
    assert told(capsys) == []


def test_equal_settings_of_a_sweep_are_logged_once(records):
    class Tracker:
        def log(self, records, *, panel, **_):
            self.records = records
            assert panel.is_file()

    tracker = Tracker()
    track(tracker, [*records, records[0]])
    assert tracker.records == [(done.record, done.path) for done in records]


def test_wandb_is_not_imported():
    code = (
        "import sys, run, evaluation.tracking.tracker, evaluation.tracking.wandb;"
        "assert not {'wandb', 'torch', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


def test_a_run_ends_well_without_its_tracker(folder, fake, tmp_path, capsys):
    fake(init=RAISE)
    words = [
        f"backbone.model={folder}", "short_side=40", "dataset.size=40", "limit=1", "gem.blocks=2",
        f"output={tmp_path / 'records'}", "logger=wandb",
    ]  # fmt: skip
    with initialize_config_dir(str(REPOSITORY / "configs"), version_base="1.3"):
        HydraConfig.instance().set_config(compose("config", return_hydra_config=True))
        config = compose("config", overrides=words)
    assert isinstance(evaluate_config(config), float)
    *_, written, note = told(capsys)
    assert written.startswith("record: ")
    assert note == "note: wandb: not logged: no route to host; the records are written"
    assert len(list((tmp_path / "records").iterdir())) == 1


def test_the_options_of_the_config():
    with initialize_config_dir(str(REPOSITORY / "configs"), version_base="1.3"):
        built = {
            name: launch.construct(compose("config", overrides=[f"logger={name}"]).logger)
            for name in ("none", "wandb")
        }
    assert built == {"none": NoTracker(), "wandb": Wandb()}
