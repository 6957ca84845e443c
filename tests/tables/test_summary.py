"""Last rows that are computed from ours: the lowest number, the highest, and how far apart."""

import csv
import io
import re

import pytest
from rich.console import Console
from tabled import laid_out, record, settings_of

from evaluation.tables import render
from evaluation.tables.curves import draw
from evaluation.tables.fill import TableResults
from evaluation.tables.published import load_table
from evaluation.tables.sheet import make_sheet

TABLE = load_table("protocols")


def made_of(*scores, given=("dataset=voc",)):
    """The sheet of one column whose first rows have these scores, and the others none."""
    plan, _ = laid_out("protocols", *given)
    settings = [cell.setting for cell in plan.columns[0].cells if cell.setting]
    found = dict(zip(settings, map(record, scores), strict=False))
    return make_sheet(plan, TableResults(found, {}, {}))


def test_lowest_highest_and_spread():
    made = made_of(0.31244, 0.45755, 0.2, None)
    ours = next(one for one in made.columns if one.measured)
    assert ours.name == "ours: VOC21"
    assert [ours.shown(row) for row in made.rows][:4] == ["31.2", "45.8", "20.0", "not run"]
    assert [ours.shown(row) for row in made.rows[-3:]] == ["20.0", "45.8", "25.8"]
    assert [made.columns[0].shown(row) for row in made.rows[-3:]] == ["lowest", "highest", "spread"]
    others = [one for one in made.columns[1:] if one is not ours]
    assert {one.cells[row] for one in others for row in made.rows[-3:]} == {None}
    assert len(made.rows) == len(TABLE.rows) + 3


def test_the_spread_is_of_the_numbers_as_they_are_printed():
    ours = next(one for one in made_of(0.30049, 0.30151).columns if one.measured)
    assert ours.cells[-1] == pytest.approx(30.2 - 30.0)  # not 0.102


@pytest.mark.parametrize("scores", [(), (0.3,)])
def test_one_number_has_no_spread(scores):
    ours = next(one for one in made_of(*scores).columns if one.measured)
    assert set(ours.cells[-3:]) == {"fewer than two numbers"}


def test_no_summary_is_the_best():
    ours = next(one for one in made_of(0.3, 0.4).columns if one.measured)
    assert ours.best == {1}
    assert not set(ours.keys) & set(range(len(TABLE.rows), len(TABLE.rows) + 3))


def test_markdown_and_csv_have_the_rows():
    made = made_of(0.3, 0.4)
    lines = [line for line in render.to_markdown(made).splitlines() if line.startswith("|")]
    assert len(lines) == len(made.rows) + 2
    assert lines[-1].startswith("| spread | - | - |")
    assert "| 10.0 |" in lines[-1]
    rows = list(csv.DictReader(io.StringIO(render.to_csv(made))))
    assert [row["ours: VOC21"] for row in rows[-3:]] == ["30.0", "40.0", "10.0"]
    assert [row["protocol"] for row in rows[-3:]] == ["lowest", "highest", "spread"]


def test_latex_has_a_rule_above_them():
    lines = render.to_latex(made_of(0.3, 0.4)).splitlines()
    assert lines.count(r"\midrule") == 2
    last = lines.index(r"\bottomrule")
    assert lines[last - 4] == r"\midrule"
    assert lines[last - 1].startswith("spread & ")


def test_html_has_them_in_a_foot():
    text = render.to_html(made_of(0.3, 0.4))
    foot = re.search(r"<tfoot>(.*)</tfoot>", text, re.DOTALL)[1]
    assert re.findall(r"<tr><th>(\w+)</th>", foot) == ["lowest", "highest", "spread"]
    assert text.count("<tr>") == 1 + len(TABLE.rows) + 3
    assert "<tfoot>" not in render.to_html(make_sheet(*laid_out("4")))


def test_the_terminal_has_them():
    console = Console(width=200, file=io.StringIO())
    console.print(render.to_terminal(made_of(0.3, 0.4)))
    said = console.file.getvalue()
    assert re.search(r"spread .* 10\.0", said)
    assert "…" not in said


def test_a_method_that_is_given_is_not_compared_with_gem():
    plan, _ = laid_out("protocols", "method=sclip")
    assert {cell.published for column in plan.columns for cell in column.cells} == {None}
    assert len(settings_of(plan)) == 8 * len(TABLE.rows)
    plan, _ = laid_out("protocols")
    assert plan.columns[0].cells[0].published == 45.5


def test_a_row_of_another_protocol_shows_no_number_of_the_given_one():
    plan, _ = laid_out("protocols", "protocol=sclip", "dataset=voc")
    cells = dict(zip((row.key for row in TABLE.rows), plan.columns[0].cells, strict=True))
    assert cells["gem", "gem", "photo"].why == "another protocol was given"
    assert cells["sclip", "sclip", "imagenet80"].setting.protocol.name == "sclip"


def test_the_dots_of_all_protocols(tmp_path):
    plan, results = laid_out("protocols", "backbone=tiny", "dataset=toy")
    found = draw(plan, results, tmp_path)
    assert [path.name for path in found] == ["protocols.png", "protocols.svg"]
