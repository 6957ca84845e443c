"""The table of systems: seconds an image, of small models."""

from itertools import islice

import pytest
from conftest import REPOSITORY
from small_sams import save_detector, save_sam


@pytest.fixture
def systems(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))
    from timing import systems

    return systems


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    """Small models in the place of those of the table."""
    root = tmp_path_factory.mktemp("models")
    detector, sam = save_detector(root / "detector"), save_sam(root / "sam")
    small = ("segmenter.detector.short_side=128", "segmenter.detector.long_side=200")
    own = (f"segmenter.sam.model={sam}",)
    return {
        "clip": (), "grounding_sam": (*own, f"segmenter.detector.model={detector}", *small),
        "gem_sam": (*own, "segmenter.points_per_side=4"),
        "gem_sam, masks kept": (*own, "segmenter.points_per_side=4"),
    }  # fmt: skip


def test_every_row_is_measured_or_says_why_not(systems, more, folder):
    timing = systems.Timing(
        model=str(folder), size=40, batch=1, repeats=1, rounds=2, precision="fp32"
    )
    rows = {name: (*systems.ROWS[name], *words) for name, words in more.items()}
    rows["unknown"] = ("segmenter=unknown",)
    table = systems.systems_table(timing, rows)
    cells = [list(column.cells) for column in table.columns]
    assert cells[0] == list(rows)
    for column in cells[1:-1]:
        assert all(float(cell) > 0 for cell in column[:-1])
        assert column[-1] == "-"
    assert cells[-1][:-1] == [""] * len(more)
    assert "unknown" in str(cells[-1][-1])


def test_the_detector_gives_ten_boxes(systems, more, folder):
    timing = systems.Timing(
        model=str(folder), size=40, batch=1, repeats=1, rounds=1, precision="bf16"
    )
    words = (*systems.ROWS["grounding_sam"], *more["grounding_sam"])
    segmenter = systems.setting_of(timing, words, "").segmenter
    assert (segmenter.detector.precision, segmenter.sam.precision) == ("bf16", "bf16")
    image = segmenter.prepare(next(systems.noise(0)), resize=None)
    found = segmenter.detector.find(image, ["aa", "ab"])
    assert found.corners.shape == (10, 4)
    one, other = islice(systems.noise(0), 2)
    assert one.size == (500, 375)
    assert one != other
