"""Which files are hashed as the code that decides numbers."""

import shutil

import pytest
from conftest import REPOSITORY

from evaluation import places
from evaluation.setting.code import DECISIVE, code_fingerprint

OTHERS = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for path in (REPOSITORY / "evaluation").iterdir()
    if path.is_dir()
    and path.name != "__pycache__"
    and path.relative_to(REPOSITORY).as_posix() not in DECISIVE
)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The code and the cards in another place."""
    for name in ("gem", "evaluation", "datasets"):
        shutil.copytree(
            REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    monkeypatch.setattr(places, "ROOT", tmp_path)
    monkeypatch.setattr(places, "CARDS", tmp_path / "datasets")
    return tmp_path


def fingerprint():
    return code_fingerprint.__wrapped__()


def change(folder):
    """One more comment in a file of the folder, as deep as there is one."""
    path = max(folder.rglob("*.py"), key=lambda path: (len(path.parts), path))
    path.write_text(path.read_text("utf-8") + "# changed\n", encoding="utf-8")


@pytest.mark.usefixtures("copy")
def test_it_does_not_depend_on_the_place():
    assert fingerprint() == code_fingerprint()


@pytest.mark.parametrize("package", DECISIVE)
def test_every_decisive_package_counts(package, copy):
    before = fingerprint()
    change(copy / package)
    assert fingerprint() != before


@pytest.mark.parametrize("package", OTHERS)
def test_no_other_package_counts(package, copy):
    before = fingerprint()
    change(copy / package)
    assert fingerprint() == before


@pytest.mark.parametrize("name", ["voc.yaml", "words/gem.yaml"])
def test_cards_and_words_count(name, copy):
    before, path = fingerprint(), copy / "datasets" / name
    path.write_text(path.read_text("utf-8") + "# changed\n", encoding="utf-8")
    assert fingerprint() != before


def test_a_new_file_counts(copy):
    before = fingerprint()
    (copy / "gem" / "methods" / "new.py").write_text("", encoding="utf-8")
    assert fingerprint() != before


def test_a_moved_file_counts_and_other_line_ends_do_not(copy):
    before, path = fingerprint(), copy / "gem" / "trace.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert fingerprint() == before
    path.rename(path.with_name("moved.py"))
    assert fingerprint() != before


def test_all_packages_are_there():
    assert [name for name in DECISIVE if not (REPOSITORY / name).is_dir()] == []
