"""Text of a record is text: in the page no element, attribute or address comes of it."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import asdict
from html.parser import HTMLParser

import pytest
from reported import record

from evaluation.records.record import Record
from evaluation.report.build import build
from evaluation.report.entry import Entry
from evaluation.report.foreign_html import KEPT, rebuild_table
from evaluation.report.page import Content, render

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = [
    "<script>document.title='BROKEN'</script>",
    "</script><script>document.title='BROKEN'</script>",
    """"><img src=x onerror="document.title='BROKEN'">""",
    "'><svg onload=document.title='BROKEN'>",
    "<a href=\"javascript:document.title='BROKEN'\">x</a>",
    "</style><style>*{display:none}</style>",
    "<meta http-equiv=refresh content='0;url=data:text/html,BROKEN'>",
    "<base href='https://elsewhere.invalid/'><link rel=stylesheet href=x.css>",
    "</pre></code></dd></article></div><iframe srcdoc='<b>'></iframe>",
    "{{ 7 * 7 }}{% raw %}<!--",
    "javascript:document.title='BROKEN'",
    "x; width: 1px; } * { display: none",
]


def texts_replaced(value, text):
    """The same tree with ``text`` in every text, and in every name that is not asked for."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [texts_replaced(item, text) for item in value]
    if isinstance(value, dict):
        return {name: texts_replaced(item, text) for name, item in value.items()}
    return value


def hostile_record(text):
    """Every text of a record is this one, those too that no file could have; and some names."""
    plain = record(key="0" * 12)
    fields = texts_replaced(asdict(plain), text)
    named = {
        "per_class": {"sun": 0.5, text: 0.25},
        "scores": {**plain.scores, text: 0.5},
        "titles": {**fields["titles"], text: text},
        "hashes": {**fields["hashes"], text: text},
        "cost": {**fields["cost"], text: text},
        "code": fields["code"] | {"packages": {"torch": text, text: text}},
        "setting": {"_target_": text, text: {text: [text]}},
        "warnings": [text, text],
    }
    return Record(**fields | named)


class Skeleton(HTMLParser):
    """The elements of a page with the names of their attributes, and addresses."""

    def __init__(self, page):
        super().__init__()
        self.found, self.addresses, self.scripts = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, *sorted(name for name, _ in attrs)))
        at = {name: value for name, value in attrs if name in {"href", "src", "action", "style"}}
        self.addresses += [value for name, value in at.items() if not value.startswith("data:")]

    def handle_data(self, data):
        if self.found and self.found[-1][0] in {"script", "style"}:
            self.scripts.append(data)


def page_of(text):
    content = Content(
        entries=[Entry(hostile_record(text), text)],
        unread=[text],
        browser={"dataset": text, "pool": 1, "judge": text, "labels": [text], "images": []},
        apology=text,
    )
    return render(content)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_element_and_no_attribute_comes_of_a_text(text):
    words = " ".join(["plain"] * len(text.split()))  # each word of the options is an element
    plain, hostile = Skeleton(page_of(words)), Skeleton(page_of(text))
    assert hostile.found == plain.found
    assert set(hostile.addresses) <= {"#results", "#predictions", f"#record-{text}"}
    own = [one for one in plain.scripts if '"plain' not in one]
    assert [one for one in hostile.scripts if one in own] == own


def test_the_policy_allows_the_pages_own_script_and_style_only():
    page = page_of("plain")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "unsafe" not in policy
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.pop("img-src") == "data:"
    for name in ("style", "script"):
        (text,) = re.findall(rf"<{name}>(.*?)</{name}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules.pop(f"{name}-src") == f"'sha256-{digest}'"
    assert rules == dict.fromkeys(("default-src", "base-uri", "form-action"), "'none'")
    assert " style=" not in page  # the policy would leave it out


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("<table><tr><td onclick=a()>1<script>alert(1)</script></table>",
         "<table><tr><td>1</td></tr></table>"),
        ("<td><img src=x onerror=alert(1)>a<svg onload=alert(1)><text>b</text></svg></td>",
         "<td>a</td>"),
        ('<td class="number" style="x">1</td><td class="record">2</td>',
         '<td class="number">1</td><td>2</td>'),
        ('<a href="#record-0123456789ab">1</a><a href="javascript:x">2</a><a href="//h">3</a>',
         '<a href="#record-0123456789ab">1</a>23'),
        ('<td colspan="2" rowspan="x">1', '<td colspan="2">1</td>'),
        ("<style>*{display:none}</style><meta http-equiv=refresh><base href=x>t", "t"),
        ("<p id=theme>&lt;b&gt; &amp; <unknown>c</unknown></td></p>",
         "<p>&lt;b&gt; &amp; c</p>"),
        ("<!-- <b> --><!doctype html><?php x ?><b>1", "<b>1</b>"),
        ("<script>never closed", ""),
    ],
)  # fmt: skip
def test_a_table_of_another_machine_is_rebuilt(given, left):
    assert rebuild_table(given).html == left


def test_a_caption_is_text():
    given = "<figure><figcaption>a <b onclick=x>b</b>\n&lt;c&gt;</figcaption>d</figure>"
    found = rebuild_table(given)
    assert (found.caption, found.html) == ("a b <c>", "<figure>d</figure>")


@pytest.mark.parametrize("text", [*HOSTILE, "<scr<script>x</script>ipt>a(1)</script>", "<b <b>"])
def test_a_rebuilt_table_has_known_elements_only(text):
    found = Skeleton(rebuild_table(f"<table><td>{text}<td {text}></table>").html)
    assert {tag for tag, *_ in found.found} <= KEPT
    assert {name for _, *names in found.found for name in names} <= {"class", "colspan", "rowspan"}
    assert found.addresses == []


def test_what_is_no_table_or_figure_is_left_out(tmp_path):
    records, tables = tmp_path / "records", tmp_path / "tables"
    records.mkdir()
    tables.mkdir()
    (tables / "deep.html").write_text("<b>" * 10_000)
    (tables / "latin.html").write_bytes(b"\xe9t\xe9")
    (tables / "folder.svg").mkdir()
    (tables / "table4.html").write_text("<table></table>")
    said = build(records, tables, tmp_path / "out", images=0)
    assert said[1:-1] == [
        "left out: deep.html: its elements are nested deeper than 40",
        "left out: latin.html: its text is no UTF-8: invalid continuation byte",
        "left out: folder.svg: it is no regular file",
    ]
    assert "<table></table>" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_setting_that_cannot_be_run_leaves_the_report(tmp_path):
    """What running a record's setting raises is not known: the page says it, and is there."""
    one = record()
    (tmp_path / one.file_name).write_text(json.dumps(asdict(one)), encoding="utf-8")
    said = build(tmp_path, tmp_path / "none", tmp_path / "out")
    reason = "_target_ 'gem.segmenter': there is no such options class"
    assert said[:-1] == [f"predictions: could not be computed here: {reason}"]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
def test_in_a_browser_nothing_runs_that_is_not_ours(tmp_path):
    """The hash alone stops it, even where a text got past the escaping."""
    page = page_of(HOSTILE[0]).replace("<main>", "<main>" + "".join(HOSTILE[:5]), 1)
    path = tmp_path / "index.html"
    path.write_text(page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000",
               f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]  # fmt: skip
    done = subprocess.run(
        [CHROMIUM, *options, path.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
    assert "<title>GEM, reproduced: report</title>" in done.stdout
    assert re.search(r'<button type="button" id="theme">(Dark|Light)</button>', done.stdout)
