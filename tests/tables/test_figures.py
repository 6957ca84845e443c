"""Figures: what shares an axis, what the rows and lines are called, that no names collide."""

from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image
from tabled import laid_out

from evaluation.tables import style
from evaluation.tables.curves import caption_of, compose, draw, rows_of
from evaluation.tables.fill import TableResults
from evaluation.tables.labels import Name, place
from evaluation.tables.series import facets_of, series_of
from evaluation.tables.trials import draw_trials

TINY = ("backbone=tiny", "dataset=toy")


def facets(name, *given):
    return facets_of(series_of(*laid_out(name, *given)))


def test_series_hold_the_papers_and_ours():
    found = series_of(*laid_out("4"))
    assert [one.label for one in found] == [
        "paper: VOC", "paper: Context", "ours: VOC", "ours: Context"
    ]  # fmt: skip
    assert found[0].values == {0: 41.2, 1: 45.1, 2: 45.5, 3: 46.2, 4: 45.6}


@pytest.mark.parametrize("name", ["3", "4", "5", "6", "protocols"])
def test_drawn_scenes_never_share_an_axis_with_the_paper(name):
    paper, ours = facets(name, *TINY)
    assert not any(one.ours for one in paper.series)
    assert all(one.ours for one in ours.series)
    assert ours.apart
    assert not paper.apart


def test_ours_of_the_same_data_and_model_share_the_papers_axis():
    (both,) = facets("4")
    assert both.both
    assert [both.legend(one) for one in both.series] == [
        "paper: VOC", "paper: Context", "ours: VOC", "ours: Context"
    ]  # fmt: skip


def test_what_all_have_in_common_is_in_the_title():
    paper, ours = facets("6", *TINY)
    assert (paper.title, ours.title) == ("the paper's", "ours: toy, tiny")
    assert [ours.legend(one) for one in ours.series] == ["no MLP", "MLP"]
    assert paper.places(0) == ["B/16", "B/32"]
    assert paper.places(1) == ["no MLP", "MLP"]


def test_another_model_is_in_no_row_of_the_paper():
    table = laid_out("5", *TINY)[0].table
    paper, ours = facets("5", *TINY)
    assert "ViT-B/16, CLIP" in rows_of(table, paper).values()
    assert list(rows_of(table, ours).values()) == [""]


@pytest.mark.parametrize("name", ["4", "6", "figure5", "protocols", "5", "3"])
def test_figures(name, tmp_path):
    plan, results = laid_out(name, *TINY)
    png, svg = draw(plan, results, tmp_path)
    before = svg.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {png.name, svg.name}
    with Image.open(png) as image:
        assert image.width == round(style.WIDTH * 300)
        assert image.info["Description"] == caption_of(plan.table.figure, facets(name, *TINY))
    draw(plan, results, tmp_path)
    assert svg.read_bytes() == before


def test_no_figure_without_numbers(tmp_path):
    plan, _ = laid_out("figure5")
    nothing = TableResults({}, {}, {})
    assert draw(plan, nothing, tmp_path) == []
    assert draw(*laid_out("1"), tmp_path) == []
    assert list(Path(tmp_path).iterdir()) == []


def test_the_optimum_of_each_line_has_a_star():
    plan, results = laid_out("6", *TINY)
    with style.look():
        figure = compose(plan.table.figure, plan.table, facets_of(series_of(plan, results)))
    axis = figure.subfigs[0].axes[0]
    stars = {tuple(line.get_xydata()[0]) for line in axis.lines if line.get_marker() == "*"}
    assert stars == {(5.0, 45.6), (3.0, 42.4), (4.0, 41.5), (4.0, 40.3)}
    assert {text.get_fontsize() for text in axis.texts} == {style.SIZE}


def collide(boxes):
    return [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]


def test_names_cover_neither_each_other_nor_dots():
    dots = [(1.0, 1.0), (1.02, 1.0), (1.0, 1.03), (0.4, 1.02), (2.0, 0.2), (1.98, 0.2)]
    with style.look():
        figure = style.new_figure(2.2)
        axis = figure.subplots()
        axis.plot(*zip(*dots, strict=True), "o")
        axis.margins(0.15)
        names = [Name(f"method {number}", *dot, style.INK) for number, dot in enumerate(dots)]
        boxes = place(figure, axis, names, dots=dots)
    assert collide(boxes) == []
    middles = axis.transData.transform(dots)
    assert not any(box.contains(*middle) for box in boxes for middle in middles)
    frame = axis.get_window_extent()
    assert all(frame.contains(*corner) for box in boxes for corner in box.corners())


def test_the_names_of_the_papers_speeds_do_not_collide():
    plan, results = laid_out("3", *TINY)
    with style.look():
        figure = compose(plan.table.figure, plan.table, facets_of(series_of(plan, results)))
        figure.draw_without_rendering()
        axis = figure.subfigs[0].axes[0]
        boxes = [text.get_window_extent() for text in axis.texts if not text.arrow_patch]
    assert len(boxes) > 5
    assert collide([box.padded(-2) for box in boxes]) == []


def trial(logit_scale, temperature_scale=None, *, curve=True, miou=0.3):
    rise = [step / 200 for step in range(100)] if curve else None
    return {
        "options": "", "temperature_scale": temperature_scale, "logit_scale": logit_scale,
        "background": 0.99 if curve else None, "miou": miou, "curve": rise,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([trial(100)], "over the background threshold. The star is the best: 49.5 % at 0.99."),
        ([trial(50, 1.0), trial(50, 2.0), trial(100, 1.0)], "49.5 % at 0.99."),
        ([trial(50, curve=False), trial(100, curve=False, miou=0.4)],
         "over the logit scale. The star is the best: 40.0 % at 100."),
        ([trial(50, curve=False)], "30.0 % at 50."),
        ([], "The star is the best: none."),
    ],
)  # fmt: skip
def test_the_figure_of_a_search(trials, said, tmp_path):
    draw_trials(trials, tmp_path / "curves.png", "toy, 50 images")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.info["Description"].endswith(said)
