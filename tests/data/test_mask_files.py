"""Label maps in image files: the stored numbers, or a sentence."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFile
from test_pixels import encode, png

from evaluation.data.mask_files import read_mask

LABELS = np.array([[0, 1, 2, 3]], dtype=np.uint8)


def palette():
    image = Image.fromarray(LABELS, mode="P")
    image.putpalette([9, 9, 9, 8, 7, 6, 0, 0, 0, 5, 5, 5])
    return image


@pytest.mark.parametrize(
    ("image", "kind", "options"),
    [
        (palette(), "PNG", {"bits": 2}),
        (palette(), "PNG", {"bits": 8, "transparency": b"\0\0\0\0"}),
        (palette(), "BMP", {}),
        (palette(), "GIF", {}),
        (Image.fromarray(LABELS), "TIFF", {"compression": "tiff_lzw"}),
        (Image.fromarray(LABELS.astype(np.uint16)), "PNG", {}),
        (Image.fromarray(LABELS.astype(np.uint16)), "TIFF", {}),
        (Image.fromarray(LABELS.astype(np.int32)), "TIFF", {}),
    ],
)
def test_numbers_are_those_that_are_stored(image, kind, options):
    assert read_mask(encode(image, kind, **options)).tolist() == LABELS.tolist()


@pytest.mark.parametrize("bits", [2, 4])
def test_few_bits_of_grey_are_refused(bits):
    """Pillow stretches them to 255: a 3 of 2 bits would be void, a 1 of 4 bits a sheep of VOC."""
    row = bytes([0b00011011] if bits == 2 else [0x01, 0x23])
    with pytest.raises(ValueError, match="cannot be read") as caught:
        read_mask(png([row], bits=bits, colours=0, width=4), "x")
    assert str(caught.value) == (
        f"x cannot be read as a mask: its grey is stored as L;{bits} (Pillow's name for it), which "
        "changes numbers, expected 8 or 16 bits or a palette"
    )


@pytest.mark.parametrize("kind", ["JPEG", "PPM", "JPEG2000"])
def test_formats_that_change_numbers_are_refused(kind):
    with pytest.raises(ValueError, match="cannot be read") as caught:
        read_mask(encode(Image.fromarray(LABELS), kind), "x")
    assert str(caught.value) == (
        f"x cannot be read as a mask: it is {kind}, expected PNG or TIFF or BMP or GIF, which keep "
        "numbers"
    )


def test_a_tiff_with_jpeg_inside_is_refused():
    content = encode(Image.fromarray(LABELS.repeat(16, 0).repeat(4, 1)), "TIFF", compression="jpeg")
    with pytest.raises(ValueError, match="its grey is stored as JPEG in TIFF, which changes"):
        read_mask(content, "x")


def test_no_flipped_bit_gives_another_label():
    """Of 4,000 flips in a mask of VOC, Pillow read 431 as other labels."""
    labels = np.random.default_rng(0).integers(0, 21, (40, 50), dtype=np.uint8)
    content, rng = encode(Image.fromarray(labels)).getvalue(), np.random.default_rng(1)
    for place in rng.integers(0, len(content), 300):
        other = bytearray(content)
        other[place] ^= 1 << int(rng.integers(8))
        try:
            found = read_mask(BytesIO(bytes(other)))
        except ValueError:
            continue
        assert np.array_equal(found, labels)


def test_gaps_are_never_filled(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(ValueError, match="LOAD_TRUNCATED_IMAGES is set"):
        read_mask(encode(palette()))
