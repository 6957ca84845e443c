"""Grounding words in one image of a user."""

import pytest
from conftest import load_script
from drawn import save_turned
from PIL import Image
from small_sams import save_detector, save_sam

from evaluation.data import Toy


def test_maps_lie_on_the_photograph_as_it_is_shown(tmp_path, capsys):
    """A phone stores pixels as its sensor lies, and a number that says how to turn them."""
    image = Toy(scenes=1, size=96)["0"].image.crop((0, 0, 96, 64))
    save_turned(image, tmp_path / "photo.png")
    load_script("ground").main(
        [str(tmp_path / "photo.png"), "a bird", "backbone=tiny", f"out={tmp_path / 'out'}"]
    )
    assert "photo-1-a-bird.png" in capsys.readouterr().out
    with Image.open(tmp_path / "out" / "photo-1-a-bird.png") as overlay:
        assert (overlay.size, overlay.getexif().get(0x0112)) == ((64, 96), None)


def test_an_image_whose_range_is_unknown(tmp_path):
    Image.new("F", (64, 64)).save(tmp_path / "depth.tif")
    with pytest.raises(ValueError, match=r"depth\.tif cannot be read as an image: it has floating"):
        load_script("ground").main([str(tmp_path / "depth.tif"), "a bird", "backbone=tiny"])


def test_a_segmenter_without_a_backbone(tmp_path, capsys):
    detector, sam = save_detector(tmp_path / "detector"), save_sam(tmp_path / "sam")
    Toy(scenes=1, size=96)["0"].image.save(tmp_path / "photo.png")
    words = [
        "segmenter=grounding_sam", f"segmenter.detector.model={detector}",
        f"segmenter.sam.model={sam}", "segmenter.detector.short_side=128",
        "segmenter.detector.long_side=256", f"out={tmp_path / 'out'}",
    ]  # fmt: skip
    load_script("ground").main([str(tmp_path / "photo.png"), "a bird", "a fish", *words])
    assert "photo-2-a-fish.png" in capsys.readouterr().out
    given = ["segmenter=gem_sam", f"segmenter.sam.model={sam}"]
    found = load_script("ground").compose(given)
    assert found.segmenter.backbone.model == "ViT-B-16"
