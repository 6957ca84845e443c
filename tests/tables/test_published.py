"""The published tables: they hold what the paper holds, and their overrides compose."""

import json
import os
import re

import pytest
from conftest import REPOSITORY

from evaluation.launch.many import Composer
from evaluation.tables import published
from evaluation.tables.overrides import merge
from evaluation.tables.published import load_table, names

REFERENCE = REPOSITORY.parent / "shared" / "reference"
JSON_NAMES = {
    "1": "table1_projection_ablation", "2": "table2_zero_shot_semseg",
    "3": "table3_openimages_v7_points", "4": "table4_iterations", "5": "table5_backbones",
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_read():
    os.environ["GEM_DATA"] = "/no/such/folder"
    yield
    del os.environ["GEM_DATA"]


def reference(name):
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip("the reference files are not here")
    return path.read_text(encoding="utf-8")


def values(table):
    return [[cell.published for cell in row.cells] for row in table.rows]


def covering(table):
    """Each row's and each column's overrides at least once, and every cell with some of its own."""
    run = [row for row in table.rows if row.cells[0].overrides]
    rows = list({row.cells[0].shared: row for row in run}.values())
    width = len(table.columns)
    for index in range(max(len(rows), width)):
        yield rows[index % len(rows)].cells[index % width].overrides
    yield from (cell.overrides for row in rows for cell in row.cells if cell.own)
    tiny = ("backbone=tiny", "dataset=toy")
    yield from (merge(table.shared(row, 0, tiny), tiny) for row in rows)
    for name in table.suites:
        yield merge(table.shared(rows[0], 0, (*tiny, f"protocol={name}")), tiny)


DASHES = "\N{EN DASH}-"  # no number
CELLS = list(dict.fromkeys(one for name in names() for one in covering(load_table(name))))
COMPOSE = Composer()


def test_all_tables_are_there():
    paper = ("1", "2", "3", "4", "5", "6")
    assert names()[: len(paper)] == paper  # those of a user come after them
    assert {"clearclip", "field", "figure5", "protocols"} < set(names())


@pytest.mark.parametrize("overrides", CELLS, ids=" ".join)
def test_cells_build_and_touch_nothing(overrides):
    setting = COMPOSE(overrides)
    for model in (setting.segmenter, *setting.segmenter.models):
        assert not {"towers", "module", "provenance"} & set(vars(model))
    assert not {"ids", "listed", "_rows"} & set(vars(setting.dataset))


@pytest.mark.parametrize("name", names())
def test_every_cell_has_overrides_or_a_reason(name):
    for cell in load_table(name).cells:
        assert bool(cell.overrides) != bool(cell.why)


@pytest.mark.parametrize("name", JSON_NAMES)
def test_numbers_are_the_papers(name):
    rows = json.loads(reference("published.json"))[JSON_NAMES[name]]["rows"]
    table, width = load_table(name), len(load_table(name).columns)
    start = {"2": 7}.get(name, len(rows[0]) - width)
    assert values(table) == [row[start : start + width] for row in rows]
    assert [row.key[0] for row in table.rows] == [row[0] for row in rows]


def test_what_table_2_says_of_its_rows():
    rows = json.loads(reference("published.json"))[JSON_NAMES["2"]]["rows"]
    said = {True: "yes", False: "no"}
    for row, (*texts, anno, trained, _, _, _, dagger, star) in zip(
        load_table("2").rows, rows, strict=True
    ):
        assert [*row.key, *row.about] == [*texts, said[anno], said[trained]]
        marks = {mark for cell in row.cells for mark in cell.notes}
        assert ("†" in marks, "*" in row.notes.get("method", ())) == (dagger, star)


def test_table_6_is_the_papers():
    raw = json.loads(reference("published.json"))["table6_depth_and_mlp"]
    columns = [raw[f"ViT-B/{size}_{mlp}_mlp"] for size in (16, 32) for mlp in ("no", "with")]
    table = load_table("6")
    assert values(table) == [list(row) for row in zip(*columns, strict=True)]
    assert [row.key for row in table.rows] == [
        (str(depth), f"L{start}")
        for depth, start in zip(raw["depth"], raw["start_layer"], strict=True)
    ]
    assert all(
        f"gem.blocks={row.key[0]}" in cell.overrides for row in table.rows for cell in row.cells
    )


def numbers_of(text):
    """The numbers of a line of a reference: ``41.8/9.2 | 1.0``, with bars or slashes between."""
    found = re.findall(rf"\d+\.\d+|[{DASHES}]", text)
    return [None if one in DASHES else float(one) for one in found]


def test_the_table_of_clearclip():
    text = reference("field.md")
    section = text[text.index("2. **The same picture") : text.index("Weights: OpenCLIP B")]
    lines = [line.split("|")[2:6] for line in section.splitlines() if re.match(r"\| \w.*\d", line)]
    numbers = [[numbers_of(cell) for cell in line] for line in lines]
    plain_b, clear_b, plain_l, clear_l = zip(*numbers, strict=True)
    pairs = [
        one
        for plain, clear in ((plain_b, clear_b), (plain_l, clear_l))
        for both in zip(plain, clear, strict=True)
        for one in both
    ]
    assert values(load_table("clearclip")) == pairs
    assert len(pairs) == 28


def test_maskclip_is_the_variant_that_this_project_has():
    found = {row.key: row for row in load_table("clearclip").rows}
    for encoder, numbers in {"B/16": [61.4, 28.3, 18.4, 24.7, 13.6],
                             "L/14": [65.1, 26.5, 17.6, 21.2, 15.1]}.items():  # fmt: skip
        row = found["MaskCLIP", f"CLIP {encoder}"]
        assert [cell.published for cell in row.cells] == numbers
        assert not any("residual" in one for one in row.cells[0].overrides)
    quoted = found["MaskCLIP, residual and FFN", "CLIP B/16"]
    assert "TCL" in quoted.cells[0].why


def test_the_readings_of_contradictions():
    two, five = load_table("2"), load_table("5")
    headline = next(row for row in two.rows if row.key[0] == "GEM").cells
    assert headline[0].own == five.rows[0].cells[0].own == ("gem.iters=2",)
    assert headline[1].own == ()
    assert "K=2" in two.footnotes[headline[0].notes[0]]
    assert all("gem.iters=0" in row.cells[0].overrides for row in load_table("1").rows[1:])


def test_an_unknown_table():
    with pytest.raises(ValueError, match=r"^table=7: expected one of 1, 2, 3, 4, 5, 6, clearclip,"):
        load_table("7")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{key: [GEM], values: [1.0]}", "expected either overrides or why"),
        ("{key: [GEM, x], why: n, values: [1.0]}", "expected method"),
        ("{key: [GEM], why: n, values: [1.0], notes: {VOC: [z]}}", "no footnote or column z"),
        ("{key: [GEM], why: n, values: [1.0], notes: {Voc: [a]}}", "no footnote or column Voc"),
        ("{key: [GEM], why: n, values: [1.0], about: [x]}", "expected method"),
    ],
)
def test_a_file_that_contradicts_itself(row, said, tmp_path, monkeypatch):
    text = "title: t\nsource: s\nplace: p\nprotocol: p\nscore: miou\noverrides: []\ngeneral: []\n"
    text += f"columns: {{VOC: []}}\nkeys: [method]\nrows: [{row}]\nfootnotes: {{a: text}}\n"
    (tmp_path / "broken.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(published, "PUBLISHED", tmp_path)
    with pytest.raises(ValueError, match=said):
        load_table("broken")


def test_a_key_that_no_table_has(tmp_path, monkeypatch):
    text = "title: t\nsource: s\nplace: p\nprotocol: p\nscore: miou\noverrides: []\ngeneral: []\n"
    text += "columns: {VOC: []}\nkeys: [method]\nrows: []\nfootnotes: {}\ntinny: []\n"
    (tmp_path / "broken.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(published, "PUBLISHED", tmp_path)
    with pytest.raises(ValueError, match="tinny"):
        load_table("broken")


@pytest.mark.parametrize("name", names())
def test_figures_are_of_columns_that_there_are(name):
    table = load_table(name)
    if table.figure:
        assert {*filter(None, [table.figure.over]), *table.figure.only} <= {*table.keys}


def test_overrides_that_fit_the_embedded_model():
    table = load_table("clearclip")
    assert "protocol.windows.size=64" in table.fitting(("backbone=tiny",))
    assert table.fitting(("backbone=clip_vit_b32",)) == ()
