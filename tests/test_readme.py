"""README, CONTRIBUTING and docs: links lead somewhere, commands compose, the example works."""

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from conftest import REPOSITORY
from hydra.core.override_parser.overrides_parser import OverridesParser

from evaluation.launch.many import Composer
from evaluation.records.record import read_records
from evaluation.setting import Setting

README = REPOSITORY / "README.md"
PAGES = [
    README,
    *(REPOSITORY / name for name in ("CONTRIBUTING.md", "SECURITY.md")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
]
COPIED = ("gem", "evaluation", "configs", "datasets", "hydra_plugins", "run.py")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMPOSE = Composer()
COMMAND = re.compile(r"^(?:python run\.py|gem-bench)(?= |$)(.*)$")


def name_of(path):
    return path.relative_to(REPOSITORY).as_posix()


def links():
    """Page and target of every link and picture that is no address of the web."""
    for page in PAGES:
        text = BLOCK.sub("", page.read_text("utf-8"))
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" not in target:
                yield pytest.param(page, target, id=f"{name_of(page)}:{target}")


def anchors(page):
    """The anchors of a page's headings, as the code's hosts make them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands():
    """Page and words of every ``python run.py ...``, in blocks and in running text."""
    for page in PAGES:
        text = page.read_text("utf-8")
        lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
        spans = re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))
        found = [match[1].strip() for one in (*lines, *spans) if (match := COMMAND.match(one))]
        for words in dict.fromkeys(found):
            yield pytest.param(words, id=f"{name_of(page)}:{words.partition(' #')[0].strip()}")


def expand(text):
    """The texts that a shell makes of ``a{b,c}``."""
    found = re.search(r"\{([^{}]*,[^{}]*)\}", text)
    if not found:
        return [text]
    start, end = text[: found.start()], text[found.end() :]
    return [one for part in found[1].split(",") for one in expand(f"{start}{part}{end}")]


def settings_of(line, folder):
    """The overrides of each setting that a line evaluates; DIR and FILE lie in ``folder``."""
    words = shlex.split(re.sub(r"--cfg \w+", "", line), comments=True)
    words = [word for word in words if not word.startswith("-")]
    words = [re.sub(r"=(DIR|FILE)\b", rf"={folder}/\1", word) for word in words]
    for alternative in itertools.product(*map(expand, words)):
        parsed = OverridesParser.create().parse_overrides(list(alternative))
        choices = [
            [f"{one.key_or_group}={value}" for value in one.sweep_string_iterator()]
            if one.is_sweep_override()
            else [one.input_line]
            for one in parsed
        ]
        yield from itertools.product(*choices)


def example():
    """The files of "Add your method", by path."""
    found = {}
    for _, block in BLOCK.findall(README.read_text("utf-8")):
        first = re.match(r"# ((?:gem|configs)/\S+)\n", block)
        if first:
            found[first[1]] = block
    return found


def test_the_readme_is_short():
    assert len(README.read_text("utf-8").splitlines()) < 120


def test_the_first_table_of_the_readme_has_numbers():
    lines = README.read_text("utf-8").splitlines()
    rows = list(itertools.takewhile(lambda line: line.startswith("|"), lines[_first_row(lines) :]))
    assert len(rows) > 2
    assert all(re.search(r"\d+\.\d", row) for row in rows[2:])


def _first_row(lines):
    return next(number for number, line in enumerate(lines) if line.startswith("|"))


def test_every_page_is_reached_from_the_readme():
    text = README.read_text("utf-8")
    assert [name_of(page) for page in PAGES[1:] if f"]({name_of(page)}" not in text] == []


@pytest.mark.parametrize(("page", "target"), links())
def test_links_lead_somewhere(page, target):
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    assert found.exists(), f"{name_of(page)} links to {path}, which is not there"
    assert found.is_relative_to(REPOSITORY)
    assert not anchor or anchor in anchors(found)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_scripts_that_are_named_are_there(page):
    named = set(re.findall(r"\bscripts/[\w/]+\.py\b", page.read_text("utf-8")))
    assert sorted(name for name in named if not (REPOSITORY / name).is_file()) == []


@pytest.mark.parametrize("words", commands())
def test_commands_compose(words, tmp_path):
    if "method=mine" in words:
        pytest.skip("there is no such file yet: it is run below")
    every = list(settings_of(words, tmp_path))
    assert every
    assert all(isinstance(COMPOSE(overrides), Setting) for overrides in every)


def test_lines_are_read_as_a_shell_and_a_sweep_read_them(tmp_path):
    line = ' -m a=1,2 b={x,y}_z c.root=DIR d=[p,q] e="f g" --cfg job # h=1'
    found = [" ".join(words) for words in settings_of(line, tmp_path)]
    rest = f"c.root={tmp_path}/DIR d=[p,q] e=f g"
    assert found == [f"a={a} b={b}_z {rest}" for b in "xy" for a in (1, 2)]


def test_your_method_works_as_printed(tmp_path):
    """In a copy of the clone with the two files of the README, and nothing else new."""
    for name in COPIED:
        source, target = REPOSITORY / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    files = example()
    assert set(files) == {"gem/methods/mine.py", "configs/method/mine.yaml"}
    for path, text in files.items():
        assert not (tmp_path / path).exists()
        (tmp_path / path).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "run.py", "method=mine", "limit=2"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "mine" in done.stdout
    ((record, _),), others = read_records(tmp_path / "results" / "records")
    assert (record.names["title"], record.images, others) == ("Mine", 2, [])
    assert record.setting["segmenter"]["method"]["_target_"] == "gem.methods.mine.Mine"
