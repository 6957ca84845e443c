"""The picture of predictions: colours where classes are, every class named, IoU, heat maps."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from evaluation.data import VOID, Sample, Toy
from evaluation.measure import ByTask
from evaluation.pictures import sheet
from evaluation.pictures.cover import cover, outline
from evaluation.pictures.palette import palette
from evaluation.pictures.panel import HeatRow, PanelRow, panel
from evaluation.pictures.predictions import (
    caption_of,
    draw_panel,
    heat_maps,
    heat_rows,
    label_maps,
    predictions,
    shown_ids,
)
from evaluation.pictures.quality import map_iou
from evaluation.setting import EvalProtocol, Setting
from gem import Gem, MaskClip, OpenClip, Patches
from gem.resize import ShortSide
from gem.vocabulary import Prompts

CARD = Toy().card


@pytest.fixture
def told(monkeypatch):
    """All texts that are drawn."""
    texts, real = [], ImageDraw.ImageDraw.text

    def note(self, place, text, *args, **kwargs):
        texts.append(text)
        real(self, place, text, *args, **kwargs)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", note)
    return texts


@pytest.fixture(scope="module")
def settings():
    backbone = OpenClip(model="tiny", weights="embedded", quick_gelu=False, device="cpu")
    first = Setting(
        segmenter=Patches(backbone=backbone, method=MaskClip()),
        metric=ByTask(),
        dataset=Toy(size=48),
        protocol=EvalProtocol(name="gem", resize=ShortSide(size=64)),
        prompts=Prompts(templates=("a photo of a {}.",)),
        limit=6,
    )
    other = replace(first, segmenter=Patches(backbone=backbone, method=Gem()))
    return {"MaskCLIP": first, "GEM": other}


def square():
    """A sample of 8 x 8 pixels: a tree in its left half, void in a corner."""
    truth = np.zeros((8, 8), np.uint8)
    truth[:, :4] = 2
    truth[7, 7] = VOID
    return Sample(id="1", image=Image.new("RGB", (8, 8), (120, 120, 120)), truth=truth)


def test_a_class_has_its_colour_and_an_edge_and_the_rest_is_gray():
    colours = palette(background=True)
    pixels = np.asarray(cover(square().image, square().truth, colours, background=True)).astype(int)
    inner, line, plain = pixels[3, 1], pixels[3, 3], pixels[3, 6]
    assert len(set(plain.tolist())) == 1
    assert np.array_equal(plain, pixels[7, 7])  # void as what is no class
    assert np.ptp(inner) > 60
    assert np.argmax(inner) == np.argmax(colours[2])
    assert line.sum() < inner.sum() < 3 * 255


def test_an_outline_leaves_what_is_far_from_it():
    image = Image.new("RGB", (40, 40), (90, 10, 200))
    inside = np.zeros((10, 10), bool)
    inside[:, 5:] = True
    pixels = np.asarray(outline(image, inside))
    assert (pixels[:, 19:21] == 255).all()
    assert (pixels[:, 18] == pixels[:, 21]).all()
    assert pixels[5, 18].max() < 60
    assert (pixels[:, :16] == (90, 10, 200)).all()


def test_iou_of_a_map_leaves_void_out():
    truth = square().truth
    found = np.zeros((8, 8), bool)
    found[:, 2:6] = True
    assert map_iou(found, truth, 2) == 16 / 48
    assert map_iou(truth == VOID, truth, 2) == 0
    assert map_iou(np.zeros((8, 8), bool), truth, 5) == 0


def test_every_predicted_class_is_in_the_legend_and_every_panel_has_its_iou(told, tmp_path):
    sample = square()
    wrong = np.full((8, 8), 4, np.uint8)  # a car everywhere
    row = PanelRow(sample, {"one": sample.truth.copy(), "two": wrong})
    half = np.linspace(0, 1, 64).reshape(8, 8)
    heat = HeatRow(sample, 2, "tree", {"one": 1.0 * (sample.truth == 2), "two": half})
    panel([row], [heat, replace(heat, maps={"one": None, "two": half})], CARD, tmp_path / "a.png")
    assert {"one", "two", "tree", "car"} <= set(told)
    assert "sun" not in told
    assert told.count("mIoU 100") == told.count("mIoU 0") == told.count("IoU 100") == 1
    assert told.count("no map") == 1
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == sheet.WIDTH
        colours = {tuple(pixel) for pixel in np.asarray(picture.convert("RGB")).reshape(-1, 3)}
    legend = (255 * palette(background=True)).round().astype(int)
    assert {tuple(legend[2].tolist()), tuple(legend[4].tolist())} <= colours


def test_text_has_eleven_points_and_is_not_wider_than_its_column(told):
    assert min(sheet.TEXT, sheet.HEADING) * 72 / 160 >= 11
    page = sheet.Sheet(6)
    page.titles(["MaskCLIP with residual and FFN", "x" * 80])
    assert told[0].startswith("MaskCLIP")
    assert all(sheet.font(sheet.TEXT).getlength(line) <= page.cell for line in told)
    assert told[-1].endswith("...")
    assert sheet.Sheet(9).cell >= sheet.NARROWEST


def test_a_tall_image_is_shown_whole():
    page = sheet.Sheet(6)
    found = page.fitted(Image.new("RGB", (10, 100)))
    assert found.height == round(sheet.TALLEST * page.cell)
    assert found.width == round(found.height / 10)


def test_images_are_those_of_the_seed(settings):
    first = settings["GEM"]
    seeds = {tuple(shown_ids(first, count=3, seed=seed)) for seed in range(6)}
    assert len(seeds) > 1
    assert all(list(ids) == sorted(ids, key=int) and len(set(ids)) == 3 for ids in seeds)
    rows = predictions(settings, count=3, seed=2)
    assert [row.sample.id for row in rows] == shown_ids(first, count=3, seed=2)
    said = caption_of(first, count=3, seed=2)
    assert "3 of 6 images, drawn by the seed 2" in said
    assert "0.85" in said


def test_heat_maps_are_of_the_largest_classes(settings):
    rows = predictions(settings, count=6)
    found = heat_rows(settings, rows)
    sample = found[0].sample
    areas = [int((sample.truth == row.label).sum()) for row in found]
    assert len(found) == 2
    assert areas == sorted(areas, reverse=True)
    assert min(areas) > 0
    assert [row.word for row in found] == [CARD.labels[row.label] for row in found]
    for row in found:
        for one in row.maps.values():
            assert one.shape == sample.truth.shape
            assert (one.min(), one.max()) == (0, 1)
    single = [row for row in rows if len(np.unique(row.sample.truth)) == 2][:1]
    assert len(heat_rows(settings, single)) == 1


def test_maps_of_a_class_do_not_depend_on_the_others_asked(settings):
    setting = settings["GEM"]
    sample = setting.dataset[setting.ids[0]]
    both, one = heat_maps(setting, sample, [3, 7]), heat_maps(setting, sample, [7])
    assert np.array_equal(both[1], one[0])
    assert not np.array_equal(both[0], both[1])
    assert label_maps(setting, [sample])[0].shape == sample.truth.shape


def test_the_whole_picture(settings, told, tmp_path):
    path = draw_panel(settings, tmp_path / "all.png", count=2, seed=1)
    assert path.is_file()
    assert {"MaskCLIP", "GEM", "ground truth"} <= set(told)
    assert sum(text.startswith("mIoU ") for text in told) == 4
    assert "drawn by the seed 1" in " ".join(told)


def test_no_class_is_gray():
    colours = palette(background=True)[1:19]
    assert np.ptp(colours, axis=1).min() > 0.14
    assert len(np.unique(colours, axis=0)) == 18
