"""What all scripts have in common: help at once, examples, one dialect, one way to end."""

import ast
import os
import re
import subprocess
import sys

import pytest
from conftest import REPOSITORY

SCRIPTS = REPOSITORY / "scripts"
FILES = sorted(path.relative_to(REPOSITORY) for path in SCRIPTS.rglob("*.py"))
TEXTS = {str(path): (REPOSITORY / path).read_text(encoding="utf-8") for path in FILES}
# They run in the environment of the released code, where `gem` is the release's package.
RELEASE = ("scripts/reference/inner.py", "scripts/reference/speed.py")
COMMANDS = [path for path, text in TEXTS.items() if "__main__" in text and path not in RELEASE]


def run(script, *words, **environment):
    return subprocess.run(
        [sys.executable, script, *words],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | environment,
    )  # fmt: skip


@pytest.mark.parametrize("script", COMMANDS)
def test_help_shows_an_example_and_does_not_wait_for_torch(script):
    done = run(script, "--help", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    assert f"\n    python {script}" in done.stdout
    imported = set(re.findall(r"\| +(\S+)$", done.stderr, re.MULTILINE))
    assert "evaluation.launch" in imported
    assert not {"torch", "open_clip", "datasets", "matplotlib"} & imported


@pytest.mark.parametrize("script", [one for one in COMMANDS if not one.endswith("reproduce.py")])
@pytest.mark.parametrize("word", ["--no-such-option", "no_such_key=1"])
def test_a_mistake_is_one_sentence(script, word):
    done = run(script, word, "backbone=tiny", GEM_DATA="/no/such")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"error: .+\n", done.stderr)


@pytest.mark.parametrize("script", TEXTS)
def test_a_script_is_its_words_and_calls(script):
    text = TEXTS[script]
    assert "sys.path" not in text
    assert "argparse" not in text or script.endswith("reproduce.py")
    assert len(text.splitlines()) <= 200


@pytest.mark.parametrize("script", RELEASE)
def test_what_runs_beside_the_release_imports_nothing_of_ours(script):
    nodes = list(ast.walk(ast.parse(TEXTS[script])))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in names} & {"gem", "evaluation", "scripts", "tests"}
