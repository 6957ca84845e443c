"""Published, ours, difference: the frame, and every form it is written in."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console
from tabled import laid_out, record, row_of, settings_of

from evaluation.tables import render
from evaluation.tables.fill import TableResults
from evaluation.tables.sheet import SheetColumn, TableSheet, make_sheet
from gem.methods import Gem


def column(made, name):
    return next(one for one in made.columns if one.name == name)


def test_ours_beside_the_papers():
    made = make_sheet(*laid_out("4"))
    assert list(made.frame.columns) == [
        "method", "K", "paper: VOC", "ours: VOC", "difference: VOC", "images: VOC",
        "paper: Context", "ours: Context", "difference: Context", "images: Context",
    ]  # fmt: skip
    cells = [column.shown(3) for column in made.columns]
    assert cells == ["GEM", "2", "46.2", "45.7", "-0.5", "10", "31.9", "45.7", "+13.8", "10"]
    assert made.frame["ours: VOC"][3] == pytest.approx(45.67)
    assert column(made, "paper: VOC").marks[3] == ("a",)


def test_the_best_is_bold_among_those_that_run():
    made = make_sheet(*laid_out("2"))
    best = {one.name: one.best for one in made.columns if one.best}
    papers = {name: rows for name, rows in best.items() if name.startswith("paper")}
    groupvit, gem = 7, 18
    assert papers == {"paper: VOC": {groupvit}, "paper: Context": {gem}, "paper: ADE20K": {gem}}
    assert not any(name.startswith("difference") for name in best)


def test_other_data_merges_the_columns():
    plan, results = laid_out("4", "dataset=toy")
    made = make_sheet(plan, results)
    assert list(made.frame.columns) == [
        "method", "K", "paper: VOC", "paper: Context", "ours: toy", "images: toy"
    ]  # fmt: skip
    assert len(settings_of(plan)) == 5
    assert any("NOT ON THE PAPER'S DATASET: it has dataset toy" in note for note in made.notes)


def test_one_of_the_papers_data_sets_keeps_its_difference():
    plan, results = laid_out("2", "dataset=voc")
    made = make_sheet(plan, results)
    assert [column.name for column in plan.columns] == ["VOC"]
    row = next(n for n, row in enumerate(plan.table.rows) if row.key[0] == "GEM")
    assert made.frame["difference: VOC"][row] == pytest.approx(45.7 - 46.2)
    assert row_of(plan, "GEM")["VOC"].setting.segmenter.method == Gem(iters=2)


def test_overrides_of_single_cells_are_not_for_other_data():
    plan, results = laid_out("2", "dataset=toy")
    assert row_of(plan, "GEM")["toy"].setting.segmenter.method == Gem(iters=1)
    assert any("its K=2" in note for note in make_sheet(plan, results).notes)


def test_other_weights_are_shown_once():
    plan, results = laid_out("2", "backbone=tiny", "dataset=toy")
    made = make_sheet(plan, results)
    assert made.frame["ours: toy, tiny"].tolist()[-2:] == [
        pytest.approx(45.67), "as GEM, ViT-B/16, CLIP"
    ]  # fmt: skip


def test_one_of_the_papers_backbones_is_shown_in_its_row():
    plan, results = laid_out("6", "backbone=clip_vit_b32")
    assert [column.name for column in plan.columns] == ["B/32, no MLP", "B/32, MLP"]
    assert make_sheet(plan, results).frame["difference: B/32, no MLP"][7] == pytest.approx(
        45.7 - 41.5
    )


def test_no_cell_of_ours_is_blank():
    plan, _ = laid_out("2")
    why = dict.fromkeys(settings_of(plan), "needs data: voc")
    made = make_sheet(plan, TableResults({}, {}, why))
    for name in ("ours: VOC", "ours: Context", "ours: ADE20K"):
        assert all(isinstance(text, str) and text for text in made.frame[name])
    assert "needs data: voc" in set(made.frame["ours: VOC"])
    assert render.reasons(made)[0].startswith("weights of its own code only; bring its label maps")


def test_random_weights_are_not_compared():
    plan, _ = laid_out("4", "backbone.weights=null")
    assert {cell.published for column in plan.columns for cell in column.cells} == {None}


def test_speeds_and_their_differences_have_two_decimals():
    plan, _ = laid_out("3", "limit=8")
    speeds = {
        setting: record(
            0.4, cost={"images_per_second": 42.434 + (number - 1) / 200, "device": "none"}
        )
        for number, setting in enumerate(plan.settings(timed=True))
    }
    made = make_sheet(plan, TableResults(dict.fromkeys(settings_of(plan), record(0.4)), speeds, {}))
    assert [column(made, "ours: fps").shown(row) for row in (3, 4)] == ["42.43", "42.44"]
    assert column(made, "difference: fps").shown(3) == "+0.33"
    assert 3 not in column(made, "ours: fps").best
    assert 3 in column(made, "ours: p-mIoU").keys
    assert column(made, "ours: fps").keys == {}


def test_numbers_of_other_code_are_told():
    plan, results = laid_out("4")
    assert not any("other code" in note for note in make_sheet(plan, results).notes)
    first, *rest = settings_of(plan)
    other = {first: record(0.4, key="o", hashes={"code": "f" * 12})}
    made = make_sheet(plan, TableResults(dict.fromkeys(rest, record(0.5)) | other, {}, {}))
    assert "1 of our 2 records were recorded by other code than this one." in made.notes


@pytest.fixture(params=["1", "2", "4", "6", "figure5"])
def made(request):
    return make_sheet(*laid_out(request.param))


def test_markdown(made):
    lines = [line for line in render.to_markdown(made).splitlines() if line.startswith("|")]
    assert len(lines) == len(made.frame) + 2
    assert {len(re.split(r"(?<!\\)\|", line)) for line in lines} == {len(made.printed) + 2}
    assert render.to_markdown(made).count("**") == 2 * sum(len(one.best) for one in made.columns)


def test_latex(made):
    text = render.to_latex(made)
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")].splitlines()[1:]
    columns = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)[1]
    assert len(body) == len(made.frame)
    for line in body:
        assert line.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", line)) == len(columns) - 1
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    after = text[text.index("\n") :]  # the first line is a comment
    assert not re.search(r"(?<!\\)[%#$_^~†]", after)


def test_csv_has_the_numbers_in_full(made):
    rows = list(csv.DictReader(io.StringIO(render.to_csv(made))))
    assert len(rows) == len(made.frame)
    assert list(rows[0]) == [*map(str, made.frame.columns), "footnotes"]
    assert "45.67" in render.to_csv(made)


def test_html_is_closed_and_escaped(made):
    class Counter(HTMLParser):
        opened, found = [], []

        def handle_starttag(self, tag, _):
            self.opened.append(tag)

        def handle_endtag(self, tag):
            assert self.opened.pop() == tag
            self.found.append(tag)

    reader = Counter()
    reader.opened, reader.found = [], []
    reader.feed(render.to_html(made))
    assert reader.opened == []
    lines, columns = len(made.frame), len(made.printed)
    assert reader.found.count("th") == columns + lines  # the heads, and the first of each line
    assert reader.found.count("td") == lines * (columns - 1)


def test_our_numbers_lead_to_their_records():
    plan, _ = laid_out("4")
    first, *rest = settings_of(plan)
    found = {first: record(0.5, key="abc")} | dict.fromkeys(rest, record(None))
    text = render.to_html(make_sheet(plan, TableResults(found, {}, {})))
    assert re.findall(r"<a [^>]*>.*?</a>", text) == [
        '<a href="#record-abc"><strong>50.0</strong></a>'
    ]


def test_the_terminal(made):
    console = Console(width=200, file=io.StringIO())
    console.print(render.to_terminal(made))
    assert "…" not in console.file.getvalue()


def test_escapes():
    made = make_sheet(*laid_out("4", "dataset=toy", "dataset.split=a&b_c"))
    assert r"dataset.split=a\&b\_c" in render.to_latex(made)
    assert "dataset.split=a&amp;b_c" in render.to_html(made)


ODD = "a|b \\ [x](javascript:y) <img src=x>\n& `c` *d* \x1b[2J \\end{tabular}"


def odd_sheet():
    columns = (SheetColumn(ODD, [ODD, "=1+1"]), SheetColumn("n", [-1.5, 2.0], 1, keys={0: ODD}))
    return TableSheet("odd", ODD, columns, {}, (ODD,))


def test_odd_text_is_a_cell_of_every_format():
    made = odd_sheet()
    cell = r"a\|b \\ \[x](javascript:y) \<img src=x\> \& \`c\` \*d\* \\x1b\[2J \\end{tabular}"
    assert render.to_markdown(made).splitlines() == [
        f"### {cell}", "", f"| {cell} | n |", "| --- | ---: |", f"| {cell} | -1.5 |",
        "| =1+1 | 2.0 |", "", f"- {cell}",
    ]  # fmt: skip
    latex = render.to_latex(made)
    assert latex.count(r"\textbackslash{}end\{tabular\}") == 3
    assert latex.count(r"\end{tabular}") == 2  # of the comment, and the table's own
    assert latex.splitlines()[1].startswith(r"\begin{tabular}")
    assert "<img" not in render.to_html(made)
    assert 'href="#record-a|b' in render.to_html(made)


def test_no_cell_of_a_csv_is_a_formula():
    rows = list(csv.reader(io.StringIO(render.to_csv(odd_sheet()))))
    assert [row[1:] for row in rows] == [["n", "footnotes"], ["-1.5", ""], ["2.0", ""]]
    assert rows[2][0] == "'=1+1"
    assert rows[1][0] == rows[0][0] == ODD.replace("\n", r"\n").replace("\x1b", r"\x1b")


def test_a_note_has_the_overrides_that_change_numbers():
    notes = make_sheet(*laid_out("4", "limit=2", "batch_size=4", "dataset.root=/x")).notes
    assert "Ours is run with limit=2." in notes
