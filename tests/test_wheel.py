"""What ``pip install .`` gives, in an environment of its own and far from the clone."""

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

import pytest
from conftest import REPOSITORY

from evaluation import launch
from evaluation.records import provenance
from evaluation.records.checked import check_setting
from evaluation.tables.published import names

PACKAGES = ("gem", "evaluation", "hydra_plugins")
DATA = {"configs": "configs", "datasets": "datasets", "published": "results/published"}
OTHERS = ("pyproject.toml", "README.md", "LICENSE", "run.py", "scripts", "tests")
VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["version"]
HIDDEN = ignore_patterns("__pycache__", ".*")
LOOK = """
import json, importlib.util, evaluation, gem
from PIL import Image
from evaluation import places
from evaluation.data.card import load_card
from evaluation.data.class_words import FAMILIES, load_family
from evaluation.data.on_disk import OWN_LISTS, read_list
from evaluation.tables import published

image = Image.linear_gradient("L").convert("RGB").resize((60, 40))
maps = gem.load("tiny").heatmaps(image, ["a cat", "a boat"])
print(json.dumps({
    "files": [gem.__file__, evaluation.__file__, importlib.util.find_spec("datasets").origin],
    "shape": list(maps.shape),
    "spread": float(maps.max() - maps.min()),
    "installed": places.INSTALLED,
    "cards": [load_card(path.stem).name for path in sorted(places.CARDS.glob("*.yaml"))],
    "words": [bool(load_family(path.stem).title) for path in sorted(FAMILIES.glob("*.yaml"))],
    "splits": [
        len(read_list(".", OWN_LISTS + path.name))
        for path in sorted((places.CARDS / "splits").iterdir())
    ],
    "cells": {name: len(published.load_table(name).cells) for name in published.names()},
}))
"""


def files(folder):
    """All files below, as paths relative to it."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {
        path.as_posix()
        for path in found
        if not any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    }


def called(*command, cwd, **variables):
    """A finished process that sees neither the clone nor the tests' own search path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment | variables,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def done(*command, cwd, **variables):
    """The same, which must have gone well."""
    found = called(*command, cwd=cwd, **variables)
    assert found.returncode == 0, found.stdout + found.stderr
    return found


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of the clone: a build leaves files, and would take those of an older one."""
    target = tmp_path_factory.mktemp("sources")
    for name in (*PACKAGES, *DATA.values(), *OTHERS):
        path = REPOSITORY / name
        if path.is_dir():
            copytree(path, target / name, ignore=HIDDEN)
        else:
            copy(path, target / name)
    return target


def built(sources, kind, folder):
    """What pip gets from the build backend; ``kind`` is ``wheel`` or ``editable``."""
    code = f"import sys, setuptools.build_meta as b; b.build_{kind}(sys.argv[1])"
    said = done(sys.executable, "-c", code, folder, cwd=sources)
    assert "would be ignored" not in said.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory):
    return built(sources, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """The programs of a new environment with the wheel, which borrows all other packages.

    A folder in a .pth file is searched, but .pth files in it are not read: ours that points at
    the clone is not.
    """
    folder = tmp_path_factory.mktemp("environment") / "env"
    venv.create(folder, symlinks=True)
    programs = folder / "bin"
    own = sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet")
    done(*pip, "--no-deps", "--no-index", wheel, cwd=folder)
    borrowed = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    (Path(own) / "borrowed.pth").write_text("\n".join(sorted(borrowed)), encoding="utf-8")
    return programs


@pytest.fixture
def bench(programs, tmp_path):
    """``gem-bench`` in an empty folder."""
    return lambda *words: called(
        programs / "gem-bench", *words, cwd=tmp_path, GEM_DATA=str(tmp_path / "data")
    )


def records(folder):
    """What lies in ``results/records``."""
    paths = sorted((folder / "results" / "records").iterdir())
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def test_the_wheel_holds_every_file_and_no_other(wheel):
    """A new package, config, card or split list is in it, or this says which one is not."""
    expected = {f"{name}/{path}" for name in PACKAGES for path in files(REPOSITORY / name)}
    for name, folder in DATA.items():
        expected |= {f"evaluation/shipped/{name}/{path}" for path in files(REPOSITORY / folder)}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected


def test_it_works_far_from_the_clone(programs, tmp_path):
    found = json.loads(done(programs / "python", "-c", LOOK, cwd=tmp_path).stdout)
    *ours, theirs = found["files"]
    assert all(Path(path).is_relative_to(programs.parent) for path in ours)
    assert theirs.endswith("site-packages/datasets/__init__.py")
    assert found["shape"] == [2, 40, 60]
    assert found["spread"] > 0
    assert found["installed"]
    assert found["cards"] == sorted(path.stem for path in (REPOSITORY / "datasets").glob("*.yaml"))
    assert all(found["words"])
    assert len(found["words"]) == len(list((REPOSITORY / "datasets" / "words").iterdir()))
    assert len(found["splits"]) == len(list((REPOSITORY / "datasets" / "splits").iterdir()))
    assert min(found["splits"]) > 1000
    assert tuple(found["cells"]) == names()
    assert min(found["cells"].values()) > 0


def test_the_command_leaves_the_same_record_in_the_working_folder(bench, tmp_path):
    said = bench("limit=2")
    assert said.returncode == 0, said.stderr
    (record,) = records(tmp_path)
    here = check_setting(launch.compose_setting(["limit=2"]))
    assert (record["key"], record["hashes"]) == (here.key, here.hashes)
    code = record["code"]
    assert (code["version"], code["commit"], code["dirty"]) == (VERSION, None, False)
    assert {path.name for path in tmp_path.iterdir()} == {"results", "outputs"}


def test_a_sweep_finds_its_launcher(bench, tmp_path):
    said = bench("-m", "gem.iters=0,1", "limit=2")
    assert said.returncode == 0, said.stderr
    found = records(tmp_path)
    assert sorted(one["setting"]["segmenter"]["method"]["iters"] for one in found) == [0, 1]
    assert [one["cost"]["settings_in_pass"] for one in found] == [2, 2]


def test_a_mistake_is_one_sentence(bench, tmp_path):
    said = bench("dataset=voc")
    assert (said.returncode, said.stdout) == (1, "")
    start = f"error: dataset.root={tmp_path / 'data'}: there is no such folder"
    assert said.stderr.startswith(start)
    assert len(said.stderr.splitlines()) == 1


def test_help_says_what_can_be_said(bench):
    said = bench("--help")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("gem-bench evaluates")
    for group in (path.name for path in (REPOSITORY / "configs").iterdir() if path.is_dir()):
        assert (f"\n{group}: " in said.stdout) == (group != "hydra")
    assert "gem-bench -m gem.iters=0,1,2,3" in said.stdout


def test_an_editable_install_keeps_the_data_where_it_is(sources, tmp_path):
    path = built(sources, "editable", tmp_path)
    zipfile.ZipFile(path).extractall(tmp_path / "site")
    code = (
        "import site, sys; site.addsitedir(sys.argv[1]); from evaluation import places;"
        "print(places.INSTALLED, places.CONFIGS, places.CARDS, places.PUBLISHED, sep='\\n')"
    )
    alone = (sys.executable, "-S", "-c", code, tmp_path / "site")  # -S: without the clone
    found = done(*alone, cwd=tmp_path).stdout.split()
    assert found == ["False", *(str(sources / folder) for folder in DATA.values())]
    assert not (sources / "evaluation" / "shipped").exists()


def test_a_repository_around_an_installed_wheel_is_not_ours(monkeypatch):
    monkeypatch.setattr(provenance, "INSTALLED", True)
    found = provenance.code.__wrapped__()
    assert (found["commit"], found["dirty"]) == (None, False)


def test_a_clone_that_was_never_installed_has_no_version(monkeypatch):
    def version(name):
        if name == "gem-bench":
            raise PackageNotFoundError
        return "1"

    monkeypatch.setattr(provenance, "version", version)
    assert provenance.code.__wrapped__()["version"] is None
