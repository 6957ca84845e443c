"""``records.py panel``: images with the decisions of records."""

from dataclasses import replace

import pytest
from conftest import load_script
from drawn import setting_of
from PIL import Image

from evaluation.data import Toy, ToyPoints
from evaluation.pictures import sweep_panel
from evaluation.pictures.predictions import label_maps
from evaluation.run.sweep import run_sweep
from gem.methods import Gem

script = load_script("records")


@pytest.fixture(scope="module")
def recorded(small, tmp_path_factory):
    """A folder of records of GEM with two numbers of iterations, on masks and on points."""
    recorded = tmp_path_factory.mktemp("records")
    for data in (Toy(scenes=4, size=48), ToyPoints(scenes=4, size=48)):
        run_sweep(
            [setting_of(small, dataset=data, method=Gem(iters=iters)) for iters in (2, 0)], recorded
        )
    return recorded


@pytest.fixture
def drawn(monkeypatch):
    """The rows that are drawn."""
    found, real = [], sweep_panel.panel
    monkeypatch.setattr(
        sweep_panel, "panel", lambda rows, *rest: found.extend(rows) or real(rows, *rest)
    )
    return found


def test_each_record_is_a_column(recorded, drawn, small, tmp_path, capsys):
    out = tmp_path / "a.png"
    script.main(["panel", "dataset=toy", f"folder={recorded}", f"out={out}", "count=2"])
    assert capsys.readouterr().out == f"written: {out}\n"
    with Image.open(out) as picture:
        assert picture.format == "PNG"
    assert [list(row.predictions) for row in drawn] == [["iters=0", "iters=2"]] * 2
    setting = setting_of(small, dataset=Toy(scenes=4, size=48), method=Gem(iters=2))
    expected = label_maps(setting, [row.sample for row in drawn])
    for row, labels in zip(drawn, expected, strict=True):
        assert (row.predictions["iters=2"] == labels).all()


def test_images_by_id(recorded, drawn, tmp_path):
    words = ["panel", "dataset=toy", "iters=2", f"folder={recorded}", f"out={tmp_path / 'a.png'}"]
    script.main([*words, "ids=3,1"])
    assert [row.sample.id for row in drawn] == ["3", "1"]


def test_weights_lie_elsewhere(recorded, drawn, tmp_path):
    words = ["panel", "dataset=toy", "iters=2", f"folder={recorded}", f"out={tmp_path / 'a.png'}"]
    with pytest.raises((ValueError, OSError), match=r"nowhere\.pt"):
        script.main([*words, f"backbone.weights={tmp_path / 'nowhere.pt'}"])
    assert drawn == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dataset=toy", "iters=7"], "panel: 0 records, expected 1 to 6 for one picture: choose"),
        ([], "panel: the records are of other data (toy and toy_points): choose by filters"),
        (["dataset=toy_points"], "panel: toy_points has no masks to draw"),
        (["dataset=toy", "ids=0,77"], "ids=77: toy has no such image"),
        (["dataset=toy", "count=0"], "count=0: expected a whole number, 1 or more"),
    ],
)
def test_mistakes(words, said, recorded, tmp_path):
    with pytest.raises(ValueError) as caught:
        script.main(["panel", *words, f"folder={recorded}", f"out={tmp_path / 'a.png'}"])
    assert str(caught.value).startswith(said)
    assert not (tmp_path / "a.png").exists()


def test_a_picture_holds_six(small):
    setting = setting_of(small, dataset=Toy(scenes=4, size=48))
    settings = {str(number): replace(setting, limit=number + 1) for number in range(7)}
    with pytest.raises(ValueError, match="panel: 7 records, expected 1 to 6"):
        sweep_panel.check_drawable(settings)
