"""Every package that is imported is declared, and every declared one has a pinned version."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from conftest import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CODE = ("gem", "evaluation", "scripts", "hydra_plugins", "run.py")


def normal(name):
    """A distribution's name as PEP 503 compares it, without its extras and versions."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()


def declared(*extras):
    parts = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][e] for e in extras)]
    return {normal(requirement) for part in parts for requirement in part}


def files(*places):
    for place in places:
        path = REPOSITORY / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def modules(path):
    """The top-level names that a file imports, wherever in it; relative imports have none."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


def own():
    """Packages of the repository, and files and folders of scripts and tests."""
    beside = {name for path in files("scripts", "tests") for name in (path.stem, path.parent.name)}
    return beside | {"gem", "evaluation", "hydra_plugins", "run"}


def third_party(*places):
    """The distributions that files import, each with one of the files."""
    known, skipped = packages_distributions(), own() | sys.stdlib_module_names
    found = {}
    for path in files(*places):
        for module in set(modules(path)) - skipped:
            names = {normal(name) for name in known.get(module, [module])}
            found[frozenset(names)] = path.relative_to(REPOSITORY).as_posix()
    return found


@pytest.mark.parametrize(
    ("places", "extras"), [(CODE, ("app", "docs", "ray")), (("tests",), ("dev",))]
)
def test_what_is_imported_is_declared(places, extras):
    listed = declared(*extras)
    lacking = {
        " or ".join(sorted(names)): path
        for names, path in third_party(*places).items()
        if not names & listed
    }
    assert not lacking


def test_imports_are_found_wherever_they_are(tmp_path):
    path = tmp_path / "x.py"
    path.write_text(
        "import os.path\nfrom yaml import dump\nfrom . import y\n"
        "def f():\n    import hydra.core, PIL.Image as I\n    from a.b import c\n"
    )
    assert sorted(modules(path)) == ["PIL", "a", "hydra", "os", "yaml"]


def test_what_is_declared_is_pinned():
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").split()
    assert all(re.fullmatch(r"[\w.-]+==[\w.+]+", line) for line in lines)
    assert lines == sorted(lines, key=normal)
    assert declared(*PROJECT["optional-dependencies"]) <= {normal(line) for line in lines}
