"""The documentation as a site: it builds, and every link leads somewhere."""

import os
import re
import subprocess
import sys
from urllib.parse import unquote

import pytest
from conftest import REPOSITORY

pytest.importorskip("mkdocs")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Built as `make docs` does, where warnings are errors."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_every_page_is_there(site):
    for path in (REPOSITORY / "docs").glob("*.md"):
        assert (site / f"{path.stem}.html").is_file()
    for name in ("index", "commands", "repository/CONTRIBUTING", "repository/SECURITY"):
        assert (site / f"{name}.html").is_file()


def test_links_and_pictures_lead_to_files_of_the_site(site):
    count = 0
    for page in site.rglob("*.html"):
        if "results" in page.parts or page.name == "404.html":
            continue  # the report is a page of its own; 404 is for a server
        for target in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text("utf-8")):
            if re.match(r"[a-z]+:|//", target):
                continue
            count += 1
            assert (page.parent / unquote(target)).exists(), f"{page}: {target}"
    assert count > 500


def test_nothing_is_fetched_from_elsewhere(site):
    """Neither fonts nor scripts: only links of the text lead out."""
    for page in site.glob("*.html"):
        text = page.read_text("utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//', text)
        assert not re.findall(r'<link[^>]+rel="(?:stylesheet|preconnect)"[^>]+href="https?:', text)


def test_every_command_has_its_help(site):
    text = (site / "commands.html").read_text("utf-8")
    for name in ("run.py", *(path.name for path in (REPOSITORY / "scripts").glob("*.py"))):
        assert name in text
    assert "Keys, with their defaults" in text
