import html as html_text
import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from reported import NASTY, record, records

from evaluation.data import Toy
from evaluation.pictures.answers import Answer
from evaluation.report.choice import choose, comparable
from evaluation.report.entry import read_entries
from evaluation.report.page import Content, policy, render, script_json
from evaluation.report.pictures import figures, fragments, said_in
from evaluation.report.predictions import payload
from evaluation.report.results import sheets
from evaluation.tables import style

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
VOID_ELEMENTS = {"meta", "link", "img", "input", "br", "hr"}


@pytest.fixture
def folder(tmp_path):
    where = tmp_path / "records"
    where.mkdir()
    for one in records():
        (where / one.file_name).write_text(json.dumps(asdict(one)), encoding="utf-8")
    (where / "old.json").write_text('{"schema": 0}', encoding="utf-8")
    return where


@pytest.fixture
def page(folder):
    entries, unread = read_entries(folder)
    toy = Toy()
    choice = choose({name: int(name) % 7 for name in toy.ids[:9]}, count=4, seed=0)
    samples = [toy[name] for name in choice.reasons]
    chosen, *_ = comparable(entries)
    rng = np.random.default_rng(0)
    heats = [rng.random((len(toy.card.classes), 8, 8)), None]  # of one that gives labels alone
    found = {
        entry.method: [
            Answer(np.roll(sample.truth, 4 * shift, axis=1), heats[shift == 1])
            for sample in samples
        ]
        for shift, entry in enumerate(chosen)
    }
    browser = payload(chosen, samples, found, choice)
    return render(Content(entries=entries, unread=unread, browser=browser))


class Reader(HTMLParser):
    """Elements and their attributes; raises where an element is closed that is not open."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"


def test_the_page_is_well_formed_and_ids_are_unique(page):
    reader = Reader(page)
    assert reader.open == []
    ids = [attrs["id"] for _, attrs in reader.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs[name] for _, attrs in reader.found for name in ("aria-controls",
            "aria-labelledby", "for") if name in attrs} <= set(ids)  # fmt: skip


def test_every_record_is_there_and_linked(page):
    reader = Reader(page)
    ids = {attrs.get("id") for _, attrs in reader.found}
    links = {attrs.get("href") for tag, attrs in reader.found if tag == "a"}
    for one in records():
        assert f"record-{one.key}" in ids
        assert f"#record-{one.key}" in links
        assert f"records.py rerun " in page and one.file_name in page  # noqa: F541, PT018
    assert {link.removeprefix("#") for link in links if link.startswith("#")} <= ids
    assert "old.json" in page
    assert "7654321" not in page  # counts stay in the record


def test_nothing_is_loaded(page):
    for tag, attrs in Reader(page).found:
        assert attrs.get("src", "data:").startswith("data:"), (tag, attrs)
        if tag == "link":
            assert attrs["href"].startswith("data:")
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_special_characters_are_escaped(page):
    assert "<img src=x" not in page
    assert html_text.escape(NASTY, quote=False)[:12] in page
    assert str(script_json({"a": NASTY})).count("<") == 0
    assert json.loads(str(script_json({"a": NASTY}))) == {"a": NASTY}


def test_random_weights_are_loud_and_never_best(page, folder):
    assert "1 of\n7 records is of models with" in page
    voc = next(s for s in sheets(read_entries(folder)[0]) if s.name == "voc")
    assert not any(cell.best for entry in voc.entries for cell in voc.cells(entry))
    toy = next(s for s in sheets(read_entries(folder)[0]) if s.name == "toy")
    best = [e.method for e in toy.entries if toy.cells(e)[0].best]
    assert best == ["gem"]


def test_an_empty_folder_and_a_missing_one(tmp_path):
    assert "no records in the folder yet" in render(Content(entries=[]))
    with pytest.raises(FileNotFoundError, match="no such folder"):
        read_entries(tmp_path / "none")


def test_best_only_among_the_same_samples(tmp_path):
    few = record().hashes | {"samples": "few"}
    many = [record(key=f"{n:012x}", miou=n / 8) for n in (1, 2)]
    for one in (*many, record(key="9" * 12, miou=0.9, hashes=few, images=3)):
        (tmp_path / one.file_name).write_text(json.dumps(asdict(one)), encoding="utf-8")
    (sheet,) = sheets(read_entries(tmp_path)[0])
    assert [e.record.key for e in sheet.entries if sheet.cells(e)[0].best] == [many[1].key]


def test_records_are_in_the_order_of_methods_and_of_numbers(tmp_path):
    asked = ["gem iters=10", "gem iters=2", "maskclip", "gem", "gem blocks=2", "clip"]
    for number, text in enumerate(asked):
        method, _, options = text.partition(" ")
        one = record(method, key=f"{number:012x}", options=options)
        (tmp_path / one.file_name).write_text(json.dumps(asdict(one)), encoding="utf-8")
    (sheet,) = sheets(read_entries(tmp_path)[0])
    assert [f"{e.method} {e.options}".strip() for e in sheet.entries] == [
        "clip", "maskclip", "gem", "gem blocks=2", "gem iters=2", "gem iters=10",
    ]  # fmt: skip


def test_tables_of_the_paper_come_first(tmp_path):
    for name in ("clearclip", "figure5", "table6", "table1"):
        (tmp_path / f"{name}.html").write_text("<table></table>", encoding="utf-8")
    titles = [fragment.title for fragment in fragments(tmp_path)[0]]
    assert titles == ["Table 1", "Table 6", "Figure 5", "Clearclip"]


def test_tables_and_figures_are_taken_in(tmp_path):
    table = "<!doctype html><html><body><style>p{}</style><table></table></body></html>"
    (tmp_path / "table4.html").write_text(table, encoding="utf-8")
    (tmp_path / "figure5.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "figure5.png").write_bytes(b"png")
    ((fragment,), _), ((figure,), _) = fragments(tmp_path), figures([tmp_path])
    assert (fragment.title, fragment.html) == ("Table 4", "<table></table>")
    assert (figure.title, figure.uri[:18]) == ("Figure 5", "data:image/svg+xml")
    captioned = "<figure><figcaption>K &amp; <b>tau</b></figcaption><table></table></figure>"
    (tmp_path / "table4.html").write_text(captioned, encoding="utf-8")
    assert fragments(tmp_path)[0][0].title == "K & tau"
    assert (figure.drawn, figure.caption) == (True, "Figure 5.")
    page = render(Content(entries=[], tables=[fragment], figures=[figure]))
    assert 'id="paper"' in page
    assert 'id="figures"' in page
    assert Reader(page).open == []


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_figure_says_what_it_shows(suffix, tmp_path):
    with style.look():
        figure = style.new_figure(1)
        figure.subplots().plot([0, 1])
        path = tmp_path / f"depth.{suffix}"
        style.save(figure, path, title="Depth & MLP", caption="mIoU <over> d: the paper's & ours.")
    ((found,), _) = figures([tmp_path])
    assert (found.title, found.caption) == ("Depth & MLP", "mIoU <over> d: the paper's & ours.")
    assert found.drawn is (suffix == "svg")


def test_what_a_broken_picture_says_is_nothing():
    assert said_in(b"\x89PNG broken") == {}
    assert said_in(b"<dc:title>\x1b[2J\xff</dc:title>")["title"].isprintable()


def test_records_are_grouped_by_method(folder):
    toy = next(s for s in sheets(read_entries(folder)[0]) if s.name == "toy")
    assert [(group.title, len(group.entries)) for group in toy.groups] == [
        ("CLIP", 1), ("MaskCLIP", 1), ("CLIP Surgery", 1), ("GEM", 2),
    ]  # fmt: skip
    values = [cell.value for cell in toy.groups[-1].highest]
    assert values[0] == max(e.record.scores["miou"] or 0 for e in toy.groups[-1].entries) * 100


def test_options_are_words_and_only_long_ones_may_break(tmp_path):
    options = "temperature_scale=0.001 weights=" + "a/" * 20
    one = record(key="1" * 12, options=options)
    (tmp_path / one.file_name).write_text(json.dumps(asdict(one)), encoding="utf-8")
    ((entry,), _) = read_entries(tmp_path)
    assert [long for _, long in entry.option_words] == [False, True]
    page = render(Content(entries=[entry]))
    assert '<span class="option">temperature_scale=0.001</span>' in page
    assert f'<span class="option long">weights={"a/" * 20}</span>' in page


def test_the_command(folder, tmp_path):
    words = [f"records={folder}", f"tables={tmp_path}", "images=0", f"out={tmp_path / 'out'}"]
    command = [sys.executable, "scripts/report.py", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    said = "predictions: left out with images=0\nno record: old.json: expected schema 2, found 0\n"
    assert said in done.stdout
    assert "(7 records, " in done.stdout
    assert (tmp_path / "out" / "index.html").is_file()
    command[2] = f"records={tmp_path / 'none'}"
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"error: .*none: no such folder\n", done.stderr)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
@pytest.mark.parametrize("width", [1280, 500])
def test_in_a_browser(page, tmp_path, width):
    checks = (Path(__file__).parent / "report_checks.js").read_text(encoding="utf-8")
    path = tmp_path / "index.html"
    checked = page.replace("</body>", f"<script>{checks}</script></body>")
    allowed = policy("", checks).partition("script-src ")[2].partition(";")[0]
    checked = checked.replace("script-src ", f"script-src {allowed} ", 1)
    path.write_text(checked, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900",
               f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
               "--virtual-time-budget=20000", "--dump-dom"]  # fmt: skip
    done = subprocess.run(
        [CHROMIUM, *options, path.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    outcome = re.search(r'<pre id="outcome">(.*?)</pre>', done.stdout)
    assert outcome, "the checks did not end"
    assert json.loads(html_text.unescape(outcome[1])) == []
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
