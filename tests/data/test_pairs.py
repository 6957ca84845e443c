"""The reader of image and mask folders: files as they are stored, and a sentence for bad ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn import save_turned
from PIL import Image

from evaluation.data import Pairs, load_card

LISTING = "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt"
IMAGE = "VOCdevkit/VOC2012/JPEGImages/{id}.jpg"
MASK = "VOCdevkit/VOC2012/SegmentationClass/{id}.png"
LABELS = np.array([[0, 1, 20, 255], [15, 15, 0, 255], [7, 7, 7, 7]], dtype=np.uint8)


def palette(labels, path):
    """As VOC stores masks: the grey value of a colour is not its label."""
    mask = Image.fromarray(labels, mode="P")
    mask.putpalette(np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tobytes())
    mask.save(path)


def grey(labels, path):
    Image.fromarray(labels).save(path)


def deep(labels, path):
    Image.fromarray(labels.astype(np.uint16)).save(path)


@pytest.fixture
def voc(tmp_path):
    """Two pairs in the layout of Pascal VOC 2012."""
    for pattern in (LISTING, IMAGE, MASK):
        (tmp_path / pattern).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / LISTING).write_text("2007_000033\n2007_000042\n", encoding="utf-8")
    for name in ("2007_000033", "2007_000042"):
        pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / IMAGE.format(id=name))
        palette(LABELS, tmp_path / MASK.format(id=name))
    return Pairs(dataset="voc", root=str(tmp_path), listing=LISTING, image=IMAGE, mask=MASK)


def mask_of(voc):
    return voc.mask_path("2007_000033")


def listing_of(voc):
    return Path(voc.root) / LISTING


def error(kind, action):
    with pytest.raises(kind) as caught:
        action()
    return str(caught.value)


def test_pairs_are_read_in_the_order_of_the_listing(voc):
    assert voc.ids == ("2007_000033", "2007_000042")
    voc.check(voc.ids)
    sample = voc["2007_000042"]
    assert (sample.id, sample.image.mode, sample.image.size) == ("2007_000042", "RGB", (4, 3))
    assert voc.card is load_card("voc")


@pytest.mark.parametrize("write", [palette, grey, deep])
def test_labels_are_the_stored_numbers(write, voc):
    write(LABELS, mask_of(voc))
    truth = voc["2007_000033"].truth
    assert np.issubdtype(truth.dtype, np.integer)
    assert np.array_equal(truth, LABELS)


def test_a_palette_with_transparency(voc):
    mask = Image.open(mask_of(voc))
    mask.save(mask_of(voc), transparency=0)
    assert np.array_equal(voc["2007_000033"].truth, LABELS)


def test_building_touches_no_files():
    Pairs(dataset="nothing", root="/no/such", listing="x", image="{id}", mask="{id}")


def test_no_root():
    pairs = Pairs(dataset="voc", root="/no/such", listing=LISTING, image=IMAGE, mask=MASK)
    said = "dataset.root=/no/such: there is no such folder"
    assert error(FileNotFoundError, lambda: pairs.ids) == said


def test_no_listing(voc):
    listing_of(voc).unlink()
    assert error(FileNotFoundError, lambda: voc.ids) == (
        f"dataset.root={voc.root} has no {LISTING}: the root is the folder that holds VOCdevkit/"
    )


def test_an_empty_split(voc):
    listing_of(voc).write_text(" \n", encoding="utf-8")
    assert error(ValueError, lambda: voc.ids) == f"{listing_of(voc)}: the split is empty"


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_missing_files_are_counted_before_any_work(kind, voc):
    path = getattr(voc, f"{kind}_path")("2007_000042")
    path.unlink()
    said = error(FileNotFoundError, lambda: voc.check(voc.ids))
    assert said == (
        f"1 of 2 {kind}s are missing; the first is {path}; dataset.missing=skip leaves them out"
    )


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_missing_files_are_left_out_if_that_is_wanted(kind, voc):
    getattr(voc, f"{kind}_path")("2007_000033").unlink()
    partly = replace(voc, missing="skip")
    assert partly.ids == ("2007_000042",)
    assert voc.ids == ("2007_000033", "2007_000042")


def test_a_mask_of_another_size(voc):
    grey(LABELS.T.copy(), mask_of(voc))
    assert error(ValueError, lambda: voc["2007_000033"]) == (
        "mask 2007_000033.png is 4x3 but its image is 3x4 (height x width)"
    )


def test_a_mask_belongs_to_the_stored_pixels(voc):
    image = Image.open(voc.image_path("2007_000033")).convert("RGB")
    save_turned(image, voc.image_path("2007_000033"))
    assert voc["2007_000033"].image.size == (4, 3)


def test_a_mask_that_was_drawn_on_the_image_as_it_is_shown(voc):
    image = Image.open(voc.image_path("2007_000033")).convert("RGB")
    save_turned(image, voc.image_path("2007_000033"))
    grey(LABELS.T.copy(), mask_of(voc))
    assert error(ValueError, lambda: voc["2007_000033"]) == (
        "mask 2007_000033.png is 4x3 but its image is 3x4 (height x width); its EXIF orientation 6 "
        "turns it when it is shown, but a truth belongs to the stored pixels"
    )


def test_a_truncated_image(voc):
    path = voc.image_path("2007_000033")
    path.write_bytes(path.read_bytes()[:-40])
    said = error(ValueError, lambda: voc["2007_000033"])
    assert said.startswith(f"{path} cannot be read as an image: image file is truncated")


@pytest.mark.parametrize("content", [b"", b"no mask", b"\x89PNG\r\n\x1a\n" + b"\0" * 20])
def test_a_broken_mask(content, voc):
    mask_of(voc).write_bytes(content)
    said = error(ValueError, lambda: voc["2007_000033"])
    assert said.startswith(f"{mask_of(voc)} cannot be read as a mask: ")


def test_a_truncated_mask(voc):
    labels = np.random.default_rng(0).integers(0, 21, (300, 400), dtype=np.uint8)
    grey(labels, mask_of(voc))
    mask_of(voc).write_bytes(mask_of(voc).read_bytes()[:5000])
    said = error(ValueError, lambda: voc["2007_000033"])
    assert said.startswith(f"{mask_of(voc)} cannot be read as a mask: ")


def test_a_mask_that_would_fill_the_memory(voc, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12)
    grey(np.zeros((5, 5), dtype=np.uint8), mask_of(voc))
    said = error(ValueError, lambda: voc["2007_000033"])
    assert said.startswith(f"{mask_of(voc)} cannot be read as a mask: Image size (25 pixels)")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_a_mask_of_colours(mode, voc):
    Image.fromarray(LABELS).convert(mode).save(mask_of(voc))
    assert error(ValueError, lambda: voc["2007_000033"]) == (
        f"{mask_of(voc)} cannot be read as a mask: it is {mode}, but label ids are one channel"
    )


@pytest.mark.parametrize(("label", "write"), [(21, palette), (254, grey), (300, deep)])
def test_a_label_that_the_data_set_does_not_have(label, write, voc):
    foreign = LABELS.astype(np.uint16 if label > 255 else np.uint8)
    foreign[0, 0] = label
    write(foreign, mask_of(voc))
    assert error(ValueError, lambda: voc["2007_000033"]) == (
        f"mask 2007_000033.png has the label {label}, expected 0 to 20 or 255 (void)"
    )
