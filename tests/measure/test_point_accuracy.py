"""Point accuracy from maps, and a whole evaluation of official files."""

import csv
from dataclasses import replace

import drawn
import numpy as np
import pytest
import torch
from drawn import scores_of
from near_ties import COSINE, same_where_clear
from PIL import Image

from evaluation.data import PointLabels, Points, ToyPoints, load_card
from evaluation.measure.evaluate import evaluate
from evaluation.measure.points import PointAccumulator, ask_only, pixels, points_inside
from evaluation.metrics import readings
from evaluation.metrics.accumulator import count_together
from evaluation.metrics.points import class_sums
from evaluation.records.checked import check_setting
from evaluation.setting import EvalProtocol
from gem import Grounder
from gem.features import PatchFeatures
from gem.image import extremes, min_max, sample, upsample
from gem.resize import ShortSide
from gem.vocabulary import Prompts, Queries
from gem.windows import SlidingWindow, tiles_of

SIZES = [(40, 64), (31, 97), (5, 7), (3, 2), (1, 1), (7, 200), (96, 1)]
GRIDS = [(7, 7), (5, 9), (1, 1), (1, 6), (8, 1)]
PROMPTS = Prompts(templates=("a photo of a {}",))


def points(*rows, size=(1, 8), number=0):
    """Points from rows (x, y, label, positive)."""
    x, y, label, positive = zip(*rows, strict=True)
    return Points(
        x=np.array(x, dtype=float),
        y=np.array(y, dtype=float),
        label=np.array(label),
        positive=np.array(positive),
        size=size,
        number=number,
    )


def random_points(size, n=50):
    rng = np.random.default_rng(3)
    return points(*zip(rng.random(n), rng.random(n), [0] * n, [True] * n, strict=True), size=size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grid", GRIDS)
def test_sampling_is_upsampling(grid, size):
    maps = torch.randn(6, *grid, generator=torch.Generator().manual_seed(1))
    whole = upsample(maps, size).double()
    every = torch.cartesian_prod(torch.arange(size[0]), torch.arange(size[1]))
    found = sample(maps, size, every[:, 0], every[:, 1])
    torch.testing.assert_close(found, whole.flatten(1), atol=COSINE, rtol=0)
    low, high = extremes(maps, size)
    torch.testing.assert_close(low, whole.flatten(1).amin(dim=1), atol=COSINE, rtol=0)
    torch.testing.assert_close(high, whole.flatten(1).amax(dim=1), atol=COSINE, rtol=0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grid", [grid for grid in GRIDS if grid != (1, 1)])
def test_decisions_are_those_of_whole_maps(grid, size):
    maps = torch.randn(40, *grid, generator=torch.Generator().manual_seed(2))
    where = random_points(size)
    whole = min_max(upsample(maps, size))[:, pixels(where.y, size[0]), pixels(where.x, size[1])]
    same_where_clear(points_inside(maps, where), whole > 0.5, margins=whole - 0.5, clear=COSINE)


@pytest.mark.parametrize("grid", [(5, 3), (1, 1)])
def test_a_constant_map_has_nothing_inside(grid):
    """Upsampled, it is constant but for rounding, which must not decide."""
    maps = torch.rand(50, 1, 1, generator=torch.Generator().manual_seed(0)).expand(50, *grid)
    assert not points_inside(maps, random_points((33, 47))).any()


def test_a_point_falls_on_the_pixel_that_contains_it():
    assert pixels(np.array([0, 0.1249, 0.125, 0.999, 1.0]), 8).tolist() == [0, 0, 1, 7, 7]


def test_several_words_of_a_class_stay_together():
    queries = Queries(torch.eye(5), (0, 1, 1, 2, 3), background=False, words=tuple("abcde"))
    few = ask_only(queries, [1, 3])
    assert few.class_index.tolist() == [0, 0, 1]
    assert few.words == ("b", "c", "e")
    assert few.text.tolist() == torch.eye(5)[[1, 2, 4]].tolist()


def accumulator_of(*maps):
    """What counts the drawn kinds, and an image with these maps of the first of them."""
    card = load_card("toy_points")
    kinds = len(card.classes)
    features = torch.zeros(1, 1, len(maps[0]), kinds)
    features[0, 0, :, : len(maps)] = torch.tensor(maps, dtype=torch.float32).T
    queries = Queries(torch.eye(kinds), tuple(range(kinds)), background=False, words=card.classes)
    return PointAccumulator(card, queries), PatchFeatures(
        features, tiles_of((1, 8), None, 1), torch.zeros(3, 1, 8)
    )


def test_a_hand_made_image():
    """Upsampled to 8 pixels and scaled, [0, 8] is 0, 0, 1/8, 3/8, 5/8, 7/8, 1, 1."""
    accumulator, image = accumulator_of([0, 8], [0.4, 0.1])
    rising = [(0.5, 0, 0, True), (1.0, 1, 0, True), (0.49, 0, 0, True), (0.8, 0, 0, False)]
    falling = [(0.0, 0.3, 1, True), (0.3, 0.3, 1, False), (0.9, 0.9, 1, False)]
    absent = [(0.1, 0.1, 4, False), (0.9, 0.1, 4, False)]  # its map is constant: nothing inside
    count_together([accumulator], image, points(*rising, *falling, *absent))
    outcome = accumulator.outcome()
    assert outcome.counts["all"] == [[0, 2, 1, 1, 0], [1, 1, 0, 1, 1], [4, 0, 0, 0, 2]]
    assert outcome.counts["positive"] == [[0, 2, 1, 1, 0], [1, 1, 0, 1, 1]]
    scores = scores_of(outcome)
    assert scores["pmiou"] == 3 / 6
    assert scores["pmiou_pair"] == scores["pmiou_class"] == 1 / 2
    assert scores["pmiou_both_all"] == pytest.approx((3 / 6 + 3 / 6) / 2)
    assert outcome.per_class == dict.fromkeys(accumulator.card.classes, None) | {
        "sun": 0.5,
        "tree": 0.5,
    }


def test_an_image_without_points_changes_nothing():
    accumulator, image = accumulator_of([0, 8])
    nothing = Points(*(np.zeros(0, dtype=kind) for kind in (float, float, int, bool)), (1, 8), 3)
    count_together([accumulator], image, nothing)
    with pytest.raises(ValueError, match=r"^toy_points: no image has a yes-point"):
        accumulator.outcome()
    assert accumulator.counts.compute().shape == (0, 6)
    count_together([accumulator], image, points((0.5, 0, 1, True), (0.5, 0, 1, False)))
    assert [row[0] for row in accumulator.outcome().counts["all"]] == [1]  # no row of class 0


def setting_of(small, dataset, **options):
    protocol = options.pop("protocol", EvalProtocol(name="small", resize=ShortSide(size=40)))
    return drawn.setting_of(small, dataset=dataset, protocol=protocol, prompts=PROMPTS, **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Five images of three sizes and a table with 5,827 labels, in the official format."""
    root = tmp_path_factory.mktemp("made")
    rng, folder = np.random.default_rng(4), root / "openimages"
    (folder / "validation").mkdir(parents=True)
    rows = []
    for number, size in enumerate([(50, 40), (40, 50), (64, 64), (40, 50), (40, 50)]):
        noise = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
        name = f"{number:016x}"
        Image.fromarray(noise).resize(size).save(folder / "validation" / f"{name}.jpg")
        for label in range(number, 5827, 5):
            answer = ("yes", "no", "unsure")[int(rng.integers(3))] if label < 60 else "unsure"
            rows += [
                (name, *rng.random(2).round(4), f"/m/{label:05d}", answer, "ih", 1, 0, 0, "")
                for _ in range(6 if label < 60 else 1)
            ]
    names = [(f"/m/{label:05d}", f"thing {label}") for label in range(6000)]
    header = "ImageId,X,Y,Label,EstimatedYesNo,Source,YesVotes,NoVotes,UnsureVotes,TextLabel"
    for path, head, lines in (
        ("oidv7-val-annotations-point-labels.csv", header.split(","), rows),
        ("oidv7-class-descriptions.csv", ["LabelName", "DisplayName"], names),
    ):
        with (folder / path).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([head, *lines])
    return PointLabels(
        dataset="openimages",
        root=str(root),
        points="openimages/oidv7-val-annotations-point-labels.csv",
        classes="openimages/oidv7-class-descriptions.csv",
        image="openimages/validation/{id}.jpg",
    )


def counts_from_whole_maps(setting):
    """The rows of an evaluation, from full-resolution maps, point by point.

    No point may lie where rounding decides, so that the rows are the same on every machine.
    """
    grounder = Grounder(setting.segmenter, setting.protocol.resize)
    rows = []
    for number, sample_id in enumerate(setting.ids):
        one = setting.dataset[sample_id]
        asked = sorted(set(one.truth.label.tolist()))
        prompts = [f"a photo of a {setting.dataset.card.classes[label]}" for label in asked]
        for label, heat in zip(asked, grounder.heatmaps(one.image, prompts), strict=True):
            counts = [0, 0, 0, 0]
            for x, y, of, yes in zip(*(getattr(one.truth, name) for name in
                                       ("x", "y", "label", "positive")), strict=True):  # fmt: skip
                if of == label:
                    scaled = heat[min(int(y * len(heat)), len(heat) - 1),
                                  min(int(x * heat.shape[1]), heat.shape[1] - 1)]  # fmt: skip
                    assert abs(scaled - 0.5) > 10 * COSINE
                    counts[2 * (not yes) + (not scaled > 0.5)] += 1
            rows.append([number, label, *counts])
    return torch.tensor(rows)


def test_a_whole_evaluation_of_official_files(made, small, monkeypatch):
    """5,827 labels are embedded once; the counts are those of full-resolution maps."""
    asked = []
    embed = type(small).embed
    monkeypatch.setattr(
        type(small), "embed", lambda self, p: asked.append(len(p)) or embed(self, p)
    )
    setting = setting_of(small, made, batch_size=2)
    outcome = evaluate(setting).outcome
    assert asked == [5827]
    rows = counts_from_whole_maps(setting)
    assert {name: pytest.approx(value) for name, value in readings(rows).items()} == scores_of(
        outcome
    )
    assert (
        np.array(outcome.counts["all"])[:, 1:].sum(axis=0).tolist() == rows[:, 2:].sum(0).tolist()
    )
    assert len(outcome.per_class) == 5827


def test_neither_batches_nor_workers_change_a_count(small):
    """The rows say that no point lies where rounding decides."""
    setting = setting_of(small, ToyPoints(scenes=7, size=48), batch_size=3, workers=2)
    first = evaluate(setting).outcome
    assert evaluate(replace(setting, batch_size=1, workers=0)).outcome == first
    rows = counts_from_whole_maps(setting)
    assert first.counts["all"] == class_sums(rows).tolist()


def test_only_the_headline_has_a_column(small):
    outcome = evaluate(setting_of(small, ToyPoints(scenes=1, size=48))).outcome
    assert [one.title for one in outcome.scores if one.column] == ["p-mIoU"]
    assert outcome.scores[0].name == "pmiou"
    others = {one.name: one.title for one in outcome.scores[1:]}
    assert others["pmiou_class_both_all"] == "p-mIoU (class, both, all)"


def test_windows(small):
    protocol = EvalProtocol(
        name="w", resize=ShortSide(size=48), windows=SlidingWindow(size=32, stride=16)
    )
    outcome = evaluate(setting_of(small, ToyPoints(scenes=2, size=48), protocol=protocol)).outcome
    assert 0 <= scores_of(outcome)["pmiou"] <= 1


def test_what_is_left_out_is_in_the_record(made, small):
    setting = setting_of(small, made, limit=2)
    assert check_setting(setting).warnings == ("2 of the 36702 images of the split",)
    table = made.image_path("x").parents[1] / "oidv7-val-annotations-point-labels.csv"
    with table.open("a", encoding="utf-8") as file:
        file.write(f"{0:016x},0.5,1.5,/m/00001,yes,ih,1,0,0,\n")
    bad = {name: getattr(made, name) for name in ("dataset", "root", "points", "classes", "image")}
    setting = setting_of(small, PointLabels(**bad, bad_rows="skip"), limit=2)
    warnings = check_setting(setting).warnings
    assert "1 row with a coordinate outside [0, 1], first row" in warnings[-1]
