"""Which files are hashed as the code that decides the numbers of a setting."""

import ast
import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import REPOSITORY

from evaluation import places
from evaluation.launch import compose_setting
from evaluation.setting import code
from evaluation.setting.code import (
    BESIDE,
    changed_files,
    code_files,
    code_fingerprint,
    deciding_text,
)
from evaluation.setting.identity import describe

GEM = "toy gem tiny"
SETTINGS = {
    GEM: [],
    "toy naclip tiny": ["method=naclip"],
    "points": ["dataset=toy_points", "method=clip"],
    "siglip": ["backbone=siglip2_vit_b16"],
    "blip": ["backbone=blip_vit_b16"],
    "groupvit": ["segmenter=groupvit"],
    "proxyclip": ["method=proxyclip", "backbone=clip_vit_b16"],
    "thresholds": ["metric=thresholds"],
}


def files(words=()):
    setting = compose_setting(list(words))
    return code_files(describe(setting), setting.dataset.card.name)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The code and the cards in another place; what is known of files is forgotten."""
    for name in ("gem", "evaluation", "datasets"):
        shutil.copytree(
            REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    monkeypatch.setattr(places, "ROOT", tmp_path)
    monkeypatch.setattr(places, "CARDS", tmp_path / "datasets")
    forget()
    yield tmp_path
    forget()


def forget():
    code._closure.cache_clear()
    code._source.cache_clear()


def change(path, old, new):
    forget()
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_it_does_not_depend_on_the_place(request):
    here = files()
    request.getfixturevalue("copy")
    assert files() == here


def test_the_core_counts_for_all_and_a_part_for_its_own_settings(copy):
    before = {name: files(words) for name, words in SETTINGS.items() if "tiny" in name}
    change(copy / "gem" / "methods" / "naclip.py", "dim=2)", "dim=1 + 1)")
    after = {name: files(words) for name, words in SETTINGS.items() if "tiny" in name}
    assert after[GEM] == before[GEM]
    assert changed_files(before["toy naclip tiny"], after["toy naclip tiny"]) == [
        "gem/methods/naclip.py"
    ]
    change(
        copy / "evaluation" / "measure" / "decision.py", "import torch\n", "import torch as torch\n"
    )
    for name, words in SETTINGS.items():
        if "tiny" in name:
            assert changed_files(after[name], files(words)) == ["evaluation/measure/decision.py"]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("gem/methods/clip.py", False),
        ("gem/methods/gem.py", True),
        ("gem/self_attention.py", True),
        ("gem/backbones/blip.py", False),
        ("gem/backbones/open_clip.py", True),
        ("gem/systems/groupvit.py", False),
        ("gem/overlay.py", False),
        ("gem/release.py", False),
        ("evaluation/data/pairs.py", False),
        ("evaluation/data/toy/scenes.py", True),
        ("evaluation/metrics/matrix.py", True),
        ("evaluation/records/record.py", False),
        ("evaluation/run/sweep.py", False),
        ("evaluation/console.py", False),
        ("datasets/toy.yaml", True),
        ("datasets/voc.yaml", False),
    ],
)
def test_what_counts_for_gem_on_drawn_scenes(name, counts):
    assert (REPOSITORY / name).is_file()
    assert (name in files()) == counts


@pytest.mark.parametrize("name", ["gem/trace.py", "gem/methods/gem.py"])
def test_comments_docstrings_and_empty_lines_count_nothing(copy, name):
    before, path = files(), copy / name
    lines = path.read_text("utf-8").splitlines()
    doc = next(number for number, line in enumerate(lines) if line.startswith('"""'))
    lines[doc] = '"""Other words. ' + lines[doc][3:]
    place = next(number for number, line in enumerate(lines) if line.startswith("class "))
    lines[place:place] = ["# a comment", "", ""]
    path.write_bytes("\r\n".join([*lines, "    # the end", ""]).encode())
    forget()
    assert files() == before
    path.rename(path.with_name("moved.py"))
    forget()
    assert files() != before


TEXT = '''
"""Doc."""
# a comment
X = """
# no comment

   text
"""  # a comment behind code


class A:
    """Doc,
    in two lines.
    """

    def f(self):
        """Alone: it is the body."""

    def g(self):
        """Doc."""; return 1

    async def h(self):
        "Doc."
        # why
        return f"""
# no comment {1}
"""
'''


def test_what_of_a_text_counts():
    assert (
        deciding_text(TEXT, ast.parse(TEXT))
        == '''X = """
# no comment

   text
"""  # a comment behind code
class A:
    def f(self):
        """Alone: it is the body."""
    def g(self):
        """Doc."""; return 1
    async def h(self):
        return f"""
# no comment {1}
"""'''
    )


def test_a_card_counts_as_it_is(copy):
    before, path = files(), copy / "datasets" / "toy.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert files() == before
    path.write_text(path.read_text("utf-8") + "# changed\n", encoding="utf-8")
    assert changed_files(before, files()) == ["datasets/toy.yaml"]


def test_one_hash_for_all():
    found = files()
    assert code_fingerprint(found) == code_fingerprint(dict(reversed(found.items())))
    assert code_fingerprint(found) != code_fingerprint(found | {"gem/trace.py": "0" * 12})
    assert len(code_fingerprint({})) == 12


def test_what_is_no_longer_there_has_no_file():
    found = code_files({"_target_": "gem.methods.Gone", "x": [{"_target_": "os.Path"}, 3]}, "gone")
    assert not any("Gone" in name or "Path" in name for name in found)
    assert "evaluation/measure/work.py" in found
    hostile = {"_target_": "gem./etc/hosts"}, {"_target_": "gem.../../x"}, "no description"
    assert all(code_files(one, "") == code_files({}, "") for one in hostile)


ASK = """
import json, sys, dataclasses
from pathlib import Path
from evaluation.launch import compose_setting
from evaluation.measure.evaluate import evaluate
evaluate(compose_setting(json.loads(sys.argv[1])))
files = [getattr(one, "__file__", None) for one in list(sys.modules.values())]
print(json.dumps([one for one in files if one]))
"""


@pytest.mark.parametrize(
    "words",
    [
        ["limit=2"],
        ["limit=2", "method=naclip", "protocol=naclip_pamr"],
        ["limit=2", "dataset=toy_points", "method=clip_surgery"],
        ["limit=2", "backbone=siglip2_vit_b16", "backbone.weights=null", "short_side=64"],
    ],
    ids=" ".join,
)
def test_nothing_that_an_evaluation_loads_is_missed(words):
    """Of the rooms that decide numbers: all that Python has loaded, but what packages pass on."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(words)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = {
        os.path.relpath(one, REPOSITORY)
        for one in json.loads(done.stdout.splitlines()[-1])
        if one.startswith(str(REPOSITORY)) and "site-packages" not in one
    }
    counted = set(files(words))
    setting = compose_setting(words)
    missed = {
        one
        for one in loaded - counted
        if one.startswith(("gem/", "evaluation/measure/", "evaluation/metrics/"))
        and not one.endswith("__init__.py")
        and not one.removesuffix(".py").replace("/", ".").startswith(BESIDE)
    }
    # what is imported because a package names it, not because this setting needs it
    passed_on = {one for one in missed if one.startswith(PASSED_ON)}
    assert missed - passed_on == set(), setting


PASSED_ON = (
    "gem/methods/", "gem/backbones/blip.py", "gem/backbones/timm_vit.py", "gem/hub/model.py",
    "gem/grounder", "gem/release", "gem/visualize", "evaluation/measure/evaluate.py",
)  # fmt: skip
