"""Scores that are not finite end the pass of their setting, and leave nothing behind."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from drawn import setting_of, with_method
from PIL import Image

from evaluation.data import Folder, Toy, ToyPoints, Words
from evaluation.measure.counting import try_first
from evaluation.measure.evaluate import evaluate
from evaluation.measure.finite import CheckedImage, Flag, NotFiniteError
from evaluation.pictures.predictions import label_maps
from evaluation.records.record import read_record
from evaluation.run.job import find_or_run, label, run
from evaluation.run.output import OutputOptions
from evaluation.run.sweep import run_sweep
from evaluation.run.tune import search
from evaluation.segmenters import Predictions
from gem import Grounder
from gem.methods import Clip, Gem
from gem.segmenter import in_range

TALL = (8, 5)  # the grid of sample 5 of `Noise` alone
KEPT = ("key", "scores", "per_class", "counts", "images", "hashes")


@dataclass(frozen=True)
class Broken(Clip):
    """CLIP with one number of the last patch put to ``value`` where the grid is ``only``."""

    value: float = float("nan")
    only: tuple[int, int] | None = None

    def __call__(self, trace):
        features = super().__call__(trace).clone()
        if self.only in {None, trace.grid}:
            features[-1, -1, 3] = self.value
        return features


class Zero(Clip):
    """CLIP with one patch of no direction at all."""

    def __call__(self, trace):
        features = super().__call__(trace).clone()
        features[:, 2] = 0
        return features


@pytest.fixture(scope="module")
def setting(small):
    return setting_of(small)


def said(sample, name="CLIP value=nan"):
    return (
        f"sample {sample}: {name} gives scores that are not finite (nan, infinite or beyond 1e+30)"
    )


def fails(sample, what, *given, name="CLIP", **options):
    with pytest.raises(NotFiniteError) as caught:
        what(*given, **options)
    assert str(caught.value) == said(sample, name)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_the_sample_and_the_method_are_named(value, setting):
    broken = with_method(setting, Broken(value=value, only=TALL))
    name = f"CLIP value={value} only=85" if value == value else None  # noqa: PLR0124
    with pytest.raises(NotFiniteError) as caught:
        evaluate(broken)
    assert str(caught.value).startswith("sample 5: CLIP ")
    assert name is None or str(caught.value) == said(5, name)


def test_a_feature_without_a_direction_has_no_cosine(setting):
    fails(0, evaluate, with_method(setting, Zero(), batch_size=1))


def test_neither_record_nor_state_is_left(setting, tmp_path):
    """The state of the batches before it is: what is counted there is good."""
    broken = with_method(setting, Broken(), batch_size=1)
    with pytest.raises(NotFiniteError, match=r"^sample 0: "):
        run(broken, tmp_path, save_every=1e-9)
    assert list(tmp_path.iterdir()) == []
    late = with_method(setting, Broken(only=TALL), batch_size=1)
    with pytest.raises(NotFiniteError, match=r"^sample 5: "):
        run(late, tmp_path, save_every=1e-9)
    (state,) = tmp_path.iterdir()
    assert state.suffix == ".state"
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".json"]


def test_the_first_sample_is_checked_too(setting):
    with pytest.raises(NotFiniteError, match=r"^sample 0: "):
        try_first(with_method(setting, Broken()))


@pytest.mark.parametrize("grid", [None, TALL])
def test_in_a_sweep_it_fails_by_itself(grid, setting, tmp_path):
    """Wherever its first bad sample is; the others of its pass have the records of theirs alone."""
    good = [setting, with_method(setting, Clip())]
    bad = [
        with_method(setting, Broken(only=grid)),
        with_method(setting, Broken(value=float("inf"), only=grid)),
    ]
    found = run_sweep([good[0], *bad, good[1]], tmp_path / "together", save_every=1e-9)
    for one in found[1:3]:
        assert one.error.startswith("sample ")
        assert "gives scores that are not finite" in one.error
        assert one.record is None
    for one, done in zip(good, (found[0], found[3]), strict=True):
        alone = run(one, tmp_path / "alone").record
        assert [getattr(done.record, k) for k in KEPT] == [getattr(alone, k) for k in KEPT]
        assert read_record(done.path) == done.record


def test_scores_that_overflow_with_an_option(setting):
    """Finite options whose product is not: nan comes out of the softmax."""
    hot = with_method(setting, Gem(temperature_scale=3e38, normalize=False))
    fails(0, evaluate, hot, name="GEM temperature_scale=3e+38 normalize=False")


def test_tuning(setting):
    with pytest.raises(NotFiniteError, match=r"^sample 5: CLIP "):
        search(
            with_method(setting, Broken(only=TALL)), logit_scales=[50.0, 100.0],
            temperature_scales=[],
        )  # fmt: skip


@pytest.mark.parametrize("data", [Toy(scenes=2, size=40), ToyPoints(scenes=2, size=40)], ids=str)
@pytest.mark.parametrize("kind", ["predictions", "scores"])
def test_no_prediction_is_written(kind, data, setting, tmp_path):
    output = OutputOptions(
        output=str(tmp_path / "records"), labels="none", save=kind,
        predictions=str(tmp_path / "saved"),
    )  # fmt: skip
    broken = with_method(setting, Broken(), dataset=data, batch_size=1)
    with pytest.raises(NotFiniteError, match=r"^sample 0: "):
        find_or_run(broken, output)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_no_prediction_is_written_where_nothing_was_counted(setting, tmp_path, monkeypatch):
    """An image without points is not asked for scores, until they are saved."""
    data = ToyPoints(scenes=2, size=40)
    read = ToyPoints.__getitem__

    def without_points(self, sample_id):
        sample = read(self, sample_id)
        truth = sample.truth
        parts = {name: getattr(truth, name)[:0] for name in ("x", "y", "label", "positive")}
        return replace(sample, truth=replace(truth, **parts))

    monkeypatch.setattr(ToyPoints, "__getitem__", without_points)
    output = OutputOptions(
        output=str(tmp_path / "records"), labels="none", save="scores",
        predictions=str(tmp_path / "saved"),
    )  # fmt: skip
    with pytest.raises(NotFiniteError, match=r"^sample 0: "):
        find_or_run(with_method(setting, Broken(), dataset=data, batch_size=1), output)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_images_are_not_labelled(setting, tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (40, 40), "red").save(tmp_path / "images" / "a.png")
    broken = with_method(
        setting, Broken(), dataset=Folder(root=str(tmp_path / "images")),
        vocabulary=Words(words=("dog", "tree")),
    )  # fmt: skip
    with pytest.raises(NotFiniteError, match=r"^sample a\.png: "):
        label(broken, OutputOptions(output="none", labels=str(tmp_path / "out")))
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


def test_pictures_are_not_drawn(setting):
    samples = [setting.dataset["4"], setting.dataset["5"]]
    with pytest.raises(NotFiniteError, match=r"^sample 5: "):
        label_maps(with_method(setting, Broken(only=TALL)), samples)


def test_heat_maps(setting):
    model = Grounder(with_method(setting, Broken()).segmenter, setting.protocol.resize)
    with pytest.raises(ValueError, match=r"^CLIP gives scores for this image that are not finite$"):
        model.heatmaps(Image.new("RGB", (40, 40)), ["a cat"])


def test_scores_of_another_program(setting, tmp_path):
    """Finite in their file, but not in float32, or not once they are multiplied."""
    theirs = Predictions(root=str(tmp_path), dataset="toy")
    there = replace(setting, dataset=Toy(scenes=1, size=40), segmenter=theirs)
    np.savez(tmp_path / "0.npz", scores=np.full((15, 2, 2), 1e300))
    with pytest.raises(ValueError, match=r"0\.npz has scores that are not finite$"):
        evaluate(there)
    np.savez(tmp_path / "0.npz", scores=np.full((15, 2, 2), 2e30))
    fails(0, evaluate, there, name="predictions")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_the_rule(kind, value):
    maps = torch.zeros(2, 3, 3, dtype=kind)
    assert in_range(maps)
    maps[1, 2, 0] = value
    assert not in_range(maps)
    assert not in_range(torch.tensor([[[2e30]]]))
    assert in_range(torch.tensor([[[-1e30]]]))


def test_a_flag_is_read_when_it_is_there():
    assert Flag(torch.tensor(True))
    assert not Flag(torch.tensor(False))


def test_scores_are_asked_once_and_checked_later(setting):
    """The check itself computes nothing."""

    class Counted:
        labels = pixels = None
        asked = 0

        def nothing(self, queries):  # noqa: ARG002
            return None

        def scores(self, queries):  # noqa: ARG002
            self.asked += 1
            return torch.full((1, 1, 1), float("nan"))

    image = Counted()
    checked = CheckedImage(image, with_method(setting, Clip()).segmenter, "x")
    checked.check()
    checked.scores(None)
    for _ in range(2):
        fails("x", checked.check)
    assert image.asked == 1
