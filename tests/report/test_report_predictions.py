from dataclasses import replace

import numpy as np
import pytest
from reported import record

from evaluation.data import Toy
from evaluation.measure import ByTask
from evaluation.pictures.quality import image_iou
from evaluation.report.choice import choose
from evaluation.report.entry import Entry
from evaluation.report.page import script_json
from evaluation.report.predictions import browser
from evaluation.setting import EvalProtocol, Setting
from evaluation.setting.identity import describe
from gem import Gem, MaskClip, OpenClip, Patches
from gem.resize import ShortSide
from gem.vocabulary import Prompts


def test_iou_of_an_image():
    card = Toy().card
    truth = np.array([[0, 0, 1, 1], [0, 0, 1, 255]])
    labels = np.array([[0, 0, 1, 2], [0, 0, 1, 2]])
    mean, each = image_iou(labels, truth, card)
    assert each[:4] == [1.0, 2 / 3, 0.0, None]
    assert mean == pytest.approx(5 / 9)


def test_the_choice_of_images():
    quality = {str(n): n / 100 for n in range(50)}
    choice = choose(quality, count=12, seed=3)
    names = list(choice.reasons)
    assert names[-6:] == ["0", "1", "2", "49", "48", "47"]  # after those by the seed alone
    assert all(choice.reasons[name] == ["seed 3"] for name in names[:-6])
    assert sum("seed 3" in reasons for reasons in choice.reasons.values()) == 12
    assert choice == choose(dict(reversed(quality.items())), count=12, seed=3)
    assert len(choose({"a": 1.0}, count=12, seed=0).reasons) == 1


@pytest.mark.parametrize("images", [1, 4, 6, 50])
def test_the_page_opens_on_an_image_of_the_seed(images):
    choice = choose({str(n): n / 100 for n in range(images)}, count=2, seed=1)
    assert "seed 1" in list(choice.reasons.values())[choice.start]


def toy_entry(method, name, weights):
    setting = Setting(
        segmenter=Patches(
            backbone=OpenClip(model="tiny", weights=weights, quick_gelu=False, device="cpu"),
            method=method,
        ),
        metric=ByTask(),
        dataset=Toy(),
        protocol=EvalProtocol(name="gem", resize=ShortSide(size=64)),
        prompts=Prompts(templates=("a photo of a {}",)),
        limit=4,
    )
    return Entry(record(name, key=f"{name:0>12}", setting=describe(setting)), f"{name}.json")


def test_predictions_are_those_of_the_settings():
    entries = [toy_entry(Gem(), "gem", "embedded"), toy_entry(MaskClip(), "maskclip", "embedded")]
    found = browser(entries, count=2, seed=0)
    assert [method["name"] for method in found["methods"]] == ["maskclip", "gem"]
    assert (found["pool"], found["judge"], len(found["images"])) == (4, "GEM", 4)
    worst = [one for one in found["images"] if one["reasons"][0] == "worst"]
    means = [one["answers"]["gem"]["mean"] for one in worst]
    assert means == sorted(means)
    first = found["images"][0]
    assert first["aspect"] == 1
    assert set(first["heated"]) == set(first["shown"]) - {0}
    for answer in first["answers"].values():
        assert list(answer["heat"]) == [str(label) for label in first["heated"]]
    assert browser([], count=2, seed=0) is None
    gone = toy_entry(Gem(), "gem", "nowhere/model.safetensors")
    assert browser([gone, *entries], count=2, seed=0)["pool"] == 4  # the next group is taken
    with pytest.raises((ValueError, OSError), match="nowhere"):
        browser([toy_entry(Gem(), "gem", "nowhere/model.safetensors")], count=2, seed=0)


def test_an_image_that_is_all_void_has_no_mean(monkeypatch):
    """The page is strict JSON: no nan may reach it."""
    void = np.full((4, 4), 255, dtype=np.uint8)
    card = Toy().card
    assert image_iou(np.zeros_like(void), void, card) == (None, [None] * len(card.labels))
    draw = Toy.__getitem__

    def first_is_void(self, sample_id):
        sample = draw(self, sample_id)
        return (
            replace(sample, truth=np.full_like(sample.truth, 255)) if sample_id == "0" else sample
        )

    monkeypatch.setattr(Toy, "__getitem__", first_is_void)
    found = browser([toy_entry(Gem(), "gem", "embedded")], count=4, seed=0)
    assert found["pool"] == 3  # it is neither the best nor the worst
    assert script_json(found)
