"""Which rows the user's overrides are for: no row shows a number of something else."""

from dataclasses import replace

import pytest
from tabled import laid_out, row_of, settings_of

from evaluation.launch.many import Composer
from evaluation.tables.cells import plan_table
from evaluation.tables.published import load_table
from evaluation.tables.sheet import make_sheet
from gem.methods import Gem

COMPOSE = Composer()


def rows_of(name, *keys):
    """A published table with only the rows of these keys: composing a cell takes its time."""
    table = load_table(name)
    rows = tuple(row for row in table.rows if any(row.key[: len(key)] == key for key in keys))
    return replace(table, rows=rows)


def notes(name, *given):
    return make_sheet(*laid_out(name, *given)).notes


def test_a_file_of_weights_is_for_the_backbone_that_a_table_names_first():
    plan, _ = laid_out("2", "backbone.weights=openai_b16.pt")
    clip = row_of(plan, "GEM", "ViT-B/16", "CLIP")["VOC"]
    other = row_of(plan, "GEM", "ViT-B/16", "MetaCLIP")["VOC"]
    assert (clip.setting.segmenter.backbone.weights, clip.published) == ("openai_b16.pt", 46.2)
    assert (other.setting.segmenter.backbone.weights, other.published) == (None, 46.8)
    said = "The weights of clip_vit_b16 are those of openai_b16.pt."
    assert said in notes("2", "backbone.weights=/somewhere/openai_b16.pt")


def test_its_activation_goes_with_it():
    given = ("backbone.weights=a.pt", "backbone.quick_gelu=false", "backbone.device=cpu")
    table = rows_of("5", ("ViT-B/16", "CLIP"), ("ViT-B/16", "MetaCLIP"))
    plan = plan_table(table, given, COMPOSE)
    clip = row_of(plan, "ViT-B/16", "CLIP")["Context"].setting.segmenter.backbone
    other = row_of(plan, "ViT-B/16", "MetaCLIP")["Context"].setting.segmenter.backbone
    assert (clip.weights, clip.quick_gelu, clip.device) == ("a.pt", False, "cpu")
    assert (other.weights, other.quick_gelu, other.device) == ("metaclip_400m", True, "cpu")


def test_a_file_of_a_given_backbone_reaches_no_row_of_another():
    given = ("backbone=metaclip_vit_b16", "backbone.weights=m.pt", "dataset=voc")
    table = rows_of("2", ("GEM", "ViT-B/16", "CLIP"), ("GEM", "ViT-B/16", "MetaCLIP"))
    plan = plan_table(table, given, COMPOSE)
    clip = row_of(plan, "GEM", "ViT-B/16", "CLIP")["VOC"]
    assert (clip.setting, clip.why) == (None, "another backbone was given")
    own = row_of(plan, "GEM", "ViT-B/16", "MetaCLIP")["VOC"]
    assert (own.setting.segmenter.backbone.weights, own.published) == ("m.pt", 46.8)


def test_one_of_the_papers_backbones_has_its_row_alone():
    plan, results = laid_out("5", "backbone=clip_vit_b16", "dataset=voc")
    cells = dict(zip((row.key for row in plan.table.rows), plan.columns[0].cells, strict=True))
    assert [key for key, cell in cells.items() if cell.setting] == [("ViT-B/16", "CLIP")]
    assert cells["ViT-B/16", "OpenCLIP"].why == "another backbone was given"
    assert not any("OURS IS NOT ON" in note for note in make_sheet(plan, results).notes)


@pytest.mark.parametrize("data", ["voc", "toy"])
def test_rows_of_another_k_have_no_number(data):
    plan, _ = laid_out("4", "gem.iters=3", f"dataset={data}")
    cells = plan.columns[0].cells
    found = [cell.setting and cell.setting.segmenter.method for cell in cells]
    assert found[1:] == [None, None, None, Gem(iters=3)]
    assert found[0] is not None  # not GEM: it is not run with the option
    assert cells[2].why == "another gem.iters was given"
    assert cells[4].published == (45.6 if data == "voc" else None)


def test_options_that_tell_no_rows_apart_are_for_all():
    plan, _ = laid_out("4", "gem.blocks=3")
    cells = plan.columns[0].cells
    assert all(cell.setting.segmenter.method.blocks == 3 for cell in cells[1:])
    assert cells[1].published == 45.1


def test_an_override_that_says_the_default_takes_nothing():
    plan, _ = laid_out("1", "gem.normalize=true")
    found = dict(zip((row.key for row in plan.table.rows), plan.columns[0].cells, strict=True))
    assert found["v-v", "yes"].setting
    assert found["v-v", "no"].why == "another gem.normalize was given"


def test_a_method_is_for_rows_of_its_own():
    plan, _ = laid_out("2", "method=clip")
    assert row_of(plan, "CLIP")["VOC"].published == 10.4
    assert row_of(plan, "GEM")["VOC"].why == "another method was given"


def test_another_depth_of_gem_is_for_the_rows_of_gem():
    table = rows_of("2", ("CLIP",), ("GEM",))
    plan = plan_table(table, ("method=gem_released",), COMPOSE)
    assert row_of(plan, "CLIP")["Context"].why == "another method was given"
    assert row_of(plan, "GEM")["Context"].setting.segmenter.method == Gem(blocks=6)


@pytest.mark.parametrize(
    ("override", "said"),
    [("backbone.weights=null", "WEIGHTS: it has weights null"),
     ("backbone.weights=laion400m_e32", "WEIGHTS: it has weights laion400m_e32"),
     ("backbone.model=ViT-S-16", "MODEL: it has model ViT-S-16"),
     ("backbone=clip_vit_b64", "BACKBONE: it has backbone clip_vit_b64")],
)  # fmt: skip
def test_other_models_are_not_compared(override, said):
    plan, results = laid_out("2", override)
    cells = [cell for column in plan.columns for cell in column.cells if cell.setting]
    systems = [cell for cell in cells if not hasattr(cell.setting.segmenter, "backbone")]
    assert {cell.published for cell in cells if cell not in systems} == {None}
    assert [cell.published for cell in systems] == [52.3, 22.4, 9.2]  # GroupViT has its own model
    assert f"OURS IS NOT ON THE PAPER'S {said}." in make_sheet(plan, results).notes


def test_what_the_paper_has_too_is_not_told_as_other():
    said = [note for note in notes("2", "dataset=voc", "backbone.weights=null") if "OURS" in note]
    assert said == ["OURS IS NOT ON THE PAPER'S WEIGHTS: it has weights null."]


@pytest.mark.parametrize("given", ["experiment=released", "protocol=naclip"])
@pytest.mark.parametrize("name", ["4", "clearclip"])
def test_options_of_a_replaced_protocol_are_gone(name, given):
    overrides = ("backbone=tiny", "dataset=toy", given)
    rows = load_table(name).rows
    table = rows_of(name, *(row.key for row in rows[:: len(rows) // 2]))
    plan = plan_table(table, overrides, COMPOSE)
    names = {setting.protocol.name for setting in settings_of(plan)}
    assert names == {{"experiment=released": "gem_released", "protocol=naclip": "naclip"}[given]}


def test_a_method_that_no_row_of_gem_has():
    plan, _ = laid_out("6", "method=clip")
    assert {cell.setting for column in plan.columns for cell in column.cells} == {None}


def test_weights_that_only_some_rows_have_are_compared_there():
    given = ("backbone.weights=laion400m_e32", "dataset=voc")
    table = rows_of("5", ("ViT-B/16", "CLIP"), ("ViT-B/16", "OpenCLIP"))
    plan = plan_table(table, given, COMPOSE)
    own = row_of(plan, "ViT-B/16", "OpenCLIP")["VOC"]
    assert (own.setting.segmenter.backbone.weights, own.published) == ("laion400m_e32", 43.1)
    assert row_of(plan, "ViT-B/16", "CLIP")["VOC"].why == "another backbone was given"


@pytest.mark.parametrize(
    ("given", "name"),
    [((), "B/16, MLP"), (("backbone=tiny", "dataset=toy"), "toy, tiny, MLP")],
)
def test_of_equal_columns_the_one_with_our_method_is_shown(given, name):
    plan, _ = laid_out("6", "gem.mlp=true", *given)
    first = plan.columns[0]
    assert (first.name, first.published[0]) == (name, 1)
    assert first.cells[7].published == (None if given else 42.1)


def test_data_that_are_not_here_are_named_all_the_same():
    plan, _ = laid_out("5", "dataset=openimages")
    assert row_of(plan, "ViT-B/16", "CLIP")["openimages"].why == "openimages has points, not masks"
    assert row_of(plan, "ViT-B/16", "CLIP")["OpenImages V7"].published == 50.9
