"""Tables whose numbers were published under several protocols: ours are run under one."""

from dataclasses import replace

import pytest
from tabled import laid_out, row_of, settings_of

from evaluation.tables.published import load_table
from evaluation.tables.sheet import make_sheet

TOY = ("backbone=tiny", "dataset=toy")


def row(name, source, encoder="CLIP B/16"):
    """The table of the field with one row."""
    field = load_table("field")
    rows = [one for one in field.rows if (*one.key, one.about[0]) == (name, encoder, source)]
    assert len(rows) == 1
    return replace(field, rows=tuple(rows))


def cells(table, *given):
    """The one row's cells, by column of ours."""
    plan, _ = laid_out(table, *given)
    return {column.name: column.cells[0] for column in plan.columns}


def protocols(table, *given):
    return {name: cell.setting.protocol.name for name, cell in cells(table, *given).items()}


def test_each_column_has_its_protocol():
    found = protocols(row("ClearCLIP", "its paper"))
    assert list(found.values()) == ["gem"] * 3 + ["clearclip"] * 5
    assert list(found)[:4] == ["VOC21", "Context60", "COCO-Object", "VOC20"]


def test_the_users_protocol_is_that_of_all_columns_with_its_words_and_prompts():
    found = cells(row("ClearCLIP", "its paper"), "protocol=naclip").values()
    assert {cell.setting.protocol.name for cell in found} == {"naclip"}
    assert {cell.setting.vocabulary.family for cell in found} == {"sclip"}
    assert {cell.setting.prompts.templates for cell in found} == {("imagenet80 {}",)}


def test_words_that_the_user_gives_win():
    given = ("protocol=naclip", "vocabulary=plain")
    found = cells(row("NACLIP", "its paper"), *given).values()
    assert {cell.setting.vocabulary.family for cell in found} == {"plain"}
    assert {cell.published for cell in found} == {None}


def test_an_experiment_replaces_protocol_words_and_prompts():
    plan, _ = laid_out(row("NACLIP", "its paper"), "experiment=sclip")
    found = settings_of(plan)
    assert {one.protocol.name for one in found} == {"sclip"}
    assert {one.vocabulary.family for one in found} == {"gem"}  # what an experiment sets is its own


@pytest.mark.parametrize(
    ("given", "compared"),
    [((), {"VOC20": 80.9, "Context59": 35.9}),
     (("protocol=clearclip",), {"VOC21": 51.8, "Context60": 32.6, "VOC20": 80.9}),
     (("protocol=sclip",), {}),
     (("protocol=clearclip", "protocol.background=0.3"), {}),
     (("prompts=photo",), {}),
     (("protocol=clearclip", "backbone=clip_vit_l14"), {})],
)  # fmt: skip
def test_only_numbers_of_the_same_protocol_are_compared(given, compared):
    table = row("ClearCLIP", "its paper")
    found = {name: cell.published for name, cell in cells(table, *given).items()}
    numbers = {name: number for name, number in found.items() if number is not None}
    assert compared.items() <= numbers.items()
    assert bool(compared) == bool(numbers)
    differences = [one.name for one in make_sheet(*laid_out(table, *given)).columns]
    assert [name for name in differences if name.startswith("difference")] == [
        f"difference: {name}" for name in numbers
    ]


def test_other_protocols_stand_beside_ours():
    made = make_sheet(*laid_out(row("SCLIP", "its README")))
    named = dict(zip(made.frame.columns, made.frame.iloc[0], strict=True))
    assert (named["published under"], named["numbers of"]) == ("sclip", "its README")
    assert (named["paper: VOC20"], named["ours: VOC20"]) == (81.54, pytest.approx(45.67))
    assert "difference: VOC20" not in named
    assert "source" not in {column.name for column in made.printed}
    assert any("ADE20K: protocol clearclip (448 pixels" in note for note in made.notes)


def test_a_reading_of_one_cell_is_for_its_protocol():
    table = row("GEM", "its paper, Table 2")
    assert cells(table)["VOC21"].setting.segmenter.method.iters == 2
    assert cells(table, "protocol=sclip")["VOC21"].setting.segmenter.method.iters == 1


def test_rows_of_one_method_show_its_number_each():
    plan, _ = laid_out("field")
    sources = [
        cell.setting is not None
        for cell, one in zip(plan.columns[3].cells, plan.table.rows, strict=True)
        if one.key == ("SCLIP", "CLIP B/16")
    ]
    assert sources == [True] * 5


def test_columns_of_other_data_are_told_apart_by_their_protocol():
    plan, _ = laid_out("field", *TOY)
    assert [column.name for column in plan.columns] == [
        "toy, tiny, gem", "toy, tiny, clearclip"
    ]  # fmt: skip
    plan, _ = laid_out("field", *TOY, "protocol=sclip")
    assert [column.name for column in plan.columns] == ["toy, tiny, sclip"]


def test_suites_and_rows_fit_the_embedded_model():
    table = row("ResCLIP, RCS alone, on NACLIP", "its ablation")
    given = [cell.setting.segmenter.method.given for cell in cells(table, *TOY).values()]
    assert {"method.layers=[3,4]" in one for one in given} == {True}
    sizes = [cell.setting.protocol.resize.size for cell in cells(table, *TOY).values()]
    assert sizes == [448, 64]  # the paper's protocol reads short_side, which the model sets
    notes = make_sheet(*laid_out(table, *TOY)).notes
    assert any("Fitted to the embedded model: ResCLIP" in note for note in notes)
    assert not any("Fitted" in note for note in make_sheet(*laid_out(table)).notes)


def test_a_row_of_an_option_is_lost_with_it():
    plan, _ = laid_out("field", "method=gem", "gem.blocks=6")
    assert row_of(plan, "SCLIP")["VOC20"].why == "another method was given"
    assert row_of(plan, "GEM, 6 blocks")["VOC20"].setting.segmenter.method.blocks == 6
    assert row_of(plan, "GEM", "CLIP B/16")["VOC20"].why == "another gem.blocks was given"
