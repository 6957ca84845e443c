"""Which rows the user's words reach: no row shows a number of something else."""

import pytest
from tabled import asked, laid_out

from evaluation.launch import compose_setting
from evaluation.tables.plan import make_plan
from evaluation.tables.published import load_table
from evaluation.tables.sheet import sheet
from gem.methods import Gem


def notes(name, *given):
    return sheet(*laid_out(name, *given)).notes


def test_a_file_of_weights_is_for_the_backbone_that_a_table_names_first():
    plan, _ = laid_out("2", "backbone.weights=openai_b16.pt")
    clip = asked(plan, "GEM", "ViT-B/16", "CLIP")["VOC"]
    other = asked(plan, "GEM", "ViT-B/16", "MetaCLIP")["VOC"]
    assert (clip.setting.segmenter.backbone.weights, clip.published) == ("openai_b16.pt", 46.2)
    assert (other.setting.segmenter.backbone.weights, other.published) == (None, 46.8)
    said = "The weights of clip_vit_b16 are those of openai_b16.pt."
    assert said in notes("2", "backbone.weights=/somewhere/openai_b16.pt")


def test_its_activation_goes_with_it():
    words = ("backbone.weights=a.pt", "backbone.quick_gelu=false", "backbone.device=cpu")
    plan = make_plan(load_table("5"), words, compose_setting)
    clip = asked(plan, "ViT-B/16", "CLIP")["Context"].setting.segmenter.backbone
    other = asked(plan, "ViT-B/16", "MetaCLIP")["Context"].setting.segmenter.backbone
    assert (clip.weights, clip.quick_gelu, clip.device) == ("a.pt", False, "cpu")
    assert (other.weights, other.quick_gelu, other.device) == ("metaclip_400m", True, "cpu")


def test_a_file_of_a_given_backbone_reaches_no_row_of_another():
    words = ("backbone=metaclip_vit_b16", "backbone.weights=m.pt", "dataset=voc")
    plan = make_plan(load_table("2"), words, compose_setting)
    clip = asked(plan, "GEM", "ViT-B/16", "CLIP")["VOC"]
    assert (clip.setting, clip.why) == (None, "another backbone was given")
    own = asked(plan, "GEM", "ViT-B/16", "MetaCLIP")["VOC"]
    assert (own.setting.segmenter.backbone.weights, own.published) == ("m.pt", 46.8)


def test_one_of_the_papers_backbones_has_its_row_alone():
    plan, answers = laid_out("5", "backbone=clip_vit_b16", "dataset=voc")
    rows = {row.key: cells for row, cells in zip(plan.table.rows, plan.asks, strict=True)}
    found = [key for key, cells in rows.items() if cells[0].setting]
    assert found == [("ViT-B/16", "CLIP")]
    assert rows["ViT-B/16", "OpenCLIP"][0].why == "another backbone was given"
    assert not any("OURS IS NOT ON" in note for note in sheet(plan, answers).notes)


@pytest.mark.parametrize("data", ["voc", "toy"])
def test_rows_of_another_k_have_no_number(data):
    plan, _ = laid_out("4", "gem.iters=3", f"dataset={data}")
    found = [cells[0].setting and cells[0].setting.segmenter.method for cells in plan.asks]
    assert found[1:] == [None, None, None, Gem(iters=3)]
    assert found[0] is not None  # not GEM: the word is not given to it
    assert plan.asks[2][0].why == "another gem.iters was given"
    assert plan.asks[4][0].published == (45.6 if data == "voc" else None)


def test_words_that_tell_no_rows_apart_reach_all():
    plan, _ = laid_out("4", "gem.blocks=3")
    assert all(cells[0].setting.segmenter.method.blocks == 3 for cells in plan.asks[1:])
    assert plan.asks[1][0].published == 45.1


def test_a_word_that_says_the_default_takes_nothing():
    plan, _ = laid_out("1", "gem.normalize=true")
    found = {row.key: cells[0] for row, cells in zip(plan.table.rows, plan.asks, strict=True)}
    assert found["v-v", "yes"].setting
    assert found["v-v", "no"].why == "another gem.normalize was given"


def test_a_method_reaches_rows_of_its_own():
    plan, _ = laid_out("2", "method=clip")
    assert asked(plan, "CLIP")["VOC"].published == 10.4
    assert asked(plan, "GEM")["VOC"].why == "another method was given"


def test_a_reading_of_gem_reaches_the_rows_of_gem():
    plan = make_plan(load_table("2"), ("method=gem_released",), compose_setting)
    assert asked(plan, "CLIP")["Context"].why == "another method was given"
    assert asked(plan, "GEM")["Context"].setting.segmenter.method == Gem(blocks=6)


@pytest.mark.parametrize(
    ("word", "said"),
    [("backbone.weights=null", "WEIGHTS: it has weights null"),
     ("backbone.weights=laion400m_e32", "WEIGHTS: it has weights laion400m_e32"),
     ("backbone.model=ViT-S-16", "MODEL: it has model ViT-S-16"),
     ("backbone=clip_vit_b64", "BACKBONE: it has backbone clip_vit_b64")],
)  # fmt: skip
def test_other_models_are_not_compared(word, said):
    plan, answers = laid_out("2", word)
    assert {ask.published for row in plan.asks for ask in row} == {None}
    assert f"OURS IS NOT ON THE PAPER'S {said}." in sheet(plan, answers).notes


def test_what_the_paper_has_too_is_not_told_as_other():
    said = [note for note in notes("2", "dataset=voc", "backbone.weights=null") if "OURS" in note]
    assert said == ["OURS IS NOT ON THE PAPER'S WEIGHTS: it has weights null."]


@pytest.mark.parametrize("given", ["experiment=released", "protocol=naclip"])
@pytest.mark.parametrize("name", ["4", "clearclip"])
def test_words_of_a_replaced_protocol_are_gone(name, given):
    words = ("backbone=tiny", "dataset=toy", given)
    plan = make_plan(load_table(name), words, compose_setting)
    names = {setting.protocol.name for setting in plan.settings}
    assert names == {{"experiment=released": "gem_released", "protocol=naclip": "naclip"}[given]}
