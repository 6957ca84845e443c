"""``-m``: every job as if alone, from any folder; other launchers still work."""

import os
import re
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins

from evaluation import launch
from evaluation.launch.command import main
from evaluation.launch.errors import PREPARE
from evaluation.records.record import read_record
from evaluation.run.job import run as evaluate

NUMBERS = ("key", "setting", "scores", "per_class", "counts", "hashes")


@pytest.fixture
def sweep(folder, tmp_path, monkeypatch, capsys):
    """Run ``run.py -m`` in this process, in another folder; its exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    model = [f"backbone.model={folder}", "backbone.device=cpu", "short_side=40", "limit=2"]

    def command(*words, many=True):
        where = ["-m", "hydra.sweep.dir=sweep"] if many else ["hydra.run.dir=alone"]
        words = [*where, *model, "output=records", *words]
        configs = ["--config-path", str(REPOSITORY / "configs")]  # else looked for in a package
        monkeypatch.setattr(sys, "argv", ["run.py", *configs, *words])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        try:
            main()
        except launch.MISTAKES as error:
            return launch.sentence(error), capsys.readouterr().out
        finally:
            GlobalHydra.instance().clear()
        return None, capsys.readouterr().out

    return command


def records(tmp_path):
    return [read_record(path) for path in sorted((tmp_path / "records").glob("*.json"))]


def test_jobs_share_a_pass_and_have_folders_of_their_own(sweep, seen, tmp_path):
    error, said = sweep("gem.iters=0,2", "gem.temperature_scale=0.5,1", "dataset=toy,toy_points")
    assert error is None
    assert sum(seen) == 2 * 2
    assert "8 settings in 2 groups, 2 passes over data" in said
    folders = sorted(path.name for path in (tmp_path / "sweep").iterdir() if path.is_dir())
    assert folders == list(map(str, range(8)))
    words = (tmp_path / "sweep" / "5" / ".hydra" / "overrides.yaml").read_text(encoding="utf-8")
    assert {"- gem.iters=2", "- gem.temperature_scale=0.5", "- dataset=toy_points"} <= set(
        words.splitlines()
    )
    assert len(re.findall(r"gem.iters=\d gem.temperature_scale=", said)) == 4  # lines of one table
    assert len(records(tmp_path)) == 8


def test_records_are_those_of_jobs_alone(sweep, tmp_path):
    sweep("gem.iters=0,2")
    for record in records(tmp_path):
        parts = record.setting["segmenter"]
        words = [f"gem.iters={parts['method']['iters']}", "short_side=40", "limit=2"]
        model = [f"backbone.model={parts['backbone']['model']}", "backbone.device=cpu"]
        alone = evaluate(launch.compose_setting([*words, *model]), tmp_path / "alone").record
        assert all(getattr(record, name) == getattr(alone, name) for name in NUMBERS)


def test_one_that_fails_does_not_stop_the_others(sweep, tmp_path):
    error, said = sweep("gem.iters=1,-1", "gem.blocks=2,9")
    assert error == "blocks=9: the tower has 5 blocks"
    assert said.splitlines()[-4:] == [
        "3 of 4 settings failed:",
        "  gem.iters=1 gem.blocks=9: blocks=9: the tower has 5 blocks",
        "  gem.iters=-1 gem.blocks=2: gem.iters=-1: input should be greater than or equal to 0",
        "  gem.iters=-1 gem.blocks=9: gem.iters=-1: input should be greater than or equal to 0",
    ]
    assert len(records(tmp_path)) == 1


def test_the_second_time_nothing_is_evaluated(sweep, seen, tmp_path):
    sweep("gem.iters=0,2")
    before = records(tmp_path)
    seen.clear()
    error, said = sweep("gem.iters=0,2")
    assert (error, sum(seen)) == (None, 0)
    assert "2 of 2 settings skipped: their records are in records" in said
    assert records(tmp_path) == before
    sweep("gem.iters=0,2", "force=true")
    assert sum(seen) == 2


def test_one_setting_alone_is_skipped_too(sweep, seen, tmp_path):
    _, first = sweep("gem.iters=2", many=False)
    before = records(tmp_path)
    seen.clear()
    error, said = sweep("gem.iters=2", many=False)
    assert (error, sum(seen)) == (None, 0)
    assert said.startswith(first.rstrip())  # the same table and file
    last = "the record was there: nothing was evaluated (force=true does it again)"
    assert said.splitlines()[-1] == last
    assert records(tmp_path) == before
    sweep("gem.iters=2", "force=true", many=False)
    assert sum(seen) == 2


def test_the_basic_launcher_still_works(sweep, seen, tmp_path):
    error, _ = sweep("gem.iters=0,2", "hydra/launcher=basic")
    assert error is None
    assert sum(seen) == 2 * 2
    assert len(records(tmp_path)) == 2


def test_a_folder_that_cannot_be_written(sweep, tmp_path):
    (tmp_path / "taken").write_text("", encoding="utf-8")
    error, said = sweep("gem.iters=0,2", "output=taken")
    assert error.startswith("output=taken: cannot write there: ")
    assert "2 of 2 settings failed:" in said


def test_a_key_of_what_is_swept_only(sweep):
    error, _ = sweep("dataset=voc,ade20k", "dataset.missing=skip")
    hint = "if only what is swept over has it, write dataset.missing=choice(skip)"
    assert error == f"dataset.missing: this config has no such key; {hint}"
    error, _ = sweep(
        "dataset=voc,ade20k", "dataset.missing=choice(skip)", "dataset.root=choice(/n)"
    )
    assert error == f"dataset.root=/n: there is no such folder{PREPARE}"


def test_the_launcher_is_a_plugin_without_an_init():
    """A file there would hide the plugins of other packages."""
    assert not (REPOSITORY / "hydra_plugins" / "__init__.py").exists()
    names = {plugin.__name__ for plugin in Plugins.instance().discover()}
    assert {"OnePassLauncher", "BasicLauncher"} <= names
    assert Path(os.path.relpath(sys.modules["hydra_plugins.one_pass_launcher"].__file__)).name
