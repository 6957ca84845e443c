"""Image files: how each kind becomes RGB, how it is turned, and what is refused."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
import torch
from drawn import save_turned
from PIL import Image, ImageFile

import gem
from gem.image import to_input
from gem.pixels import TURNS, orientation, read_image, read_photograph

DEEP = np.array([[0, 255, 256, 511, 512, 40000, 65535]], dtype=np.uint16)
HIGH = [0, 0, 1, 1, 2, 156, 255]


def encode(image, kind="PNG", **options):
    buffer = BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer


def png(rows, *, bits, colours, width):
    """A PNG that Pillow does not write."""

    def chunk(kind, data):
        return (
            struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, len(rows), bits, colours, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    content = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return BytesIO(b"\x89PNG\r\n\x1a\n" + content)


def said(content, name="x"):
    with pytest.raises(ValueError, match="cannot be read") as caught:
        read_image(content, name)
    return str(caught.value).removeprefix("x cannot be read as an image: ")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000", "PPM"])
def test_grey_of_16_bits_keeps_its_high_byte(kind):
    """`convert("RGB")` would make everything from 255 on white."""
    found = np.asarray(read_image(encode(Image.fromarray(DEEP), kind)))
    assert (found == found[..., :1]).all()
    assert found[0, :, 0].tolist() == HIGH


def test_grey_and_colours_of_16_bits_are_read_alike():
    colours = png([DEEP.repeat(3).astype(">u2").tobytes()], bits=16, colours=2, width=7)
    grey = png([DEEP.astype(">u2").tobytes()], bits=16, colours=0, width=7)
    assert np.array_equal(np.asarray(read_image(colours)), np.asarray(read_image(grey)))


@pytest.mark.parametrize(
    ("pixels", "kind"),
    [(DEEP / np.float32(65535), "floating-point"), (DEEP.astype(np.int32), "32-bit or signed")],
)
def test_values_of_an_unknown_range_are_refused(pixels, kind):
    sentence = (
        f"it has {kind} values, whose range is not stated, expected 8 bits, or 16 bits unsigned"
    )
    image = Image.fromarray(pixels)
    assert said(encode(image, "TIFF")) == sentence
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        to_input(image, (1, 1), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def test_a_model_gets_16_bits_by_the_same_rule():
    found = to_input(Image.fromarray(DEEP), (1, 7), mean=(0.0,) * 3, std=(1.0,) * 3)
    assert torch.equal(found[0, 0], torch.tensor(HIGH) / 255)


@pytest.mark.parametrize(
    ("tag", "value", "what"), [(258, 12, "12 bits a pixel"), (262, 0, "0 for white")]
)
def test_deep_tiffs_that_pillow_reads_as_others(tag, value, what):
    content = bytearray(encode(Image.fromarray(np.zeros((2, 4), np.uint16)), "TIFF").getvalue())
    place = content.index(struct.pack("<HHI", tag, 3, 1)) + 8
    content[place : place + 2] = struct.pack("<H", value)
    expected = f"it is a TIFF with {what}, expected 16 bits with 0 for black"
    assert said(BytesIO(bytes(content))) == expected


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_dropped_and_the_colour_under_it_kept(mode):
    image = Image.new("RGBA", (3, 2), (90, 90, 90, 0))
    image = image.convert("RGB").quantize(2) if mode == "P" else image.convert(mode)
    options = {"transparency": b"\0\0"} if mode == "P" else {}
    found = np.asarray(read_image(encode(image, **options)))
    assert (found == 90).all()


def test_of_several_frames_the_first_counts():
    frames = [Image.new("RGB", (2, 2), colour) for colour in ((200, 0, 0), (0, 200, 0))]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_image(content).getpixel((0, 0)) == (200, 0, 0)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_a_photograph_is_turned_and_stored_pixels_are_not(turn, kind, tmp_path):
    pixels = np.zeros((16, 24, 3), dtype=np.uint8)
    pixels[:8, :8] = 255  # a white corner
    image, path = Image.fromarray(pixels), tmp_path / f"a.{kind}"
    save_turned(image, path, turn)
    stored, shown = read_image(path), read_photograph(path)
    assert (stored.size, orientation(stored)) == ((24, 16), turn)
    expected = image if turn == 1 else image.transpose(TURNS[turn])
    assert shown.size == expected.size
    assert np.abs(np.asarray(shown).astype(int) - np.asarray(expected)).max() < 60
    assert (orientation(shown), gem.read_image(path).size) == (1, shown.size)
    assert "exif" not in shown.info


def test_exif_that_is_broken_turns_nothing(tmp_path):
    save_turned(Image.new("RGB", (4, 2)), tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    place = content.index(b"Exif\0\0") + 6
    (tmp_path / "a.jpg").write_bytes(content[:place] + b"\xff" * 8 + content[place + 8 :])
    assert gem.read_image(tmp_path / "a.jpg").size == (4, 2)


@pytest.fixture(scope="module")
def noise():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8))


def test_no_flipped_bit_of_a_png_goes_unseen(noise):
    """Pillow looks at no checksum of pixels: one flip in ten was read as another picture."""
    content, expected = encode(noise).getvalue(), np.asarray(noise)
    rng, read = np.random.default_rng(0), 0
    for place in rng.integers(0, len(content), 300):
        other = bytearray(content)
        other[place] ^= 1 << int(rng.integers(8))
        try:
            found = read_image(BytesIO(bytes(other)))
        except ValueError:
            continue
        read += 1
        assert np.array_equal(np.asarray(found)[..., 0], expected)
    assert read < 30


def test_a_checksum_that_is_wrong(noise):
    content = bytearray(encode(noise).getvalue())
    content[-20] ^= 1
    assert said(BytesIO(bytes(content))) == "the checksum of its IDAT is wrong"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_an_image_that_is_cut_is_an_error_and_no_grey(kind, share, noise):
    content = encode(noise.convert("RGB"), kind).getvalue()
    said(BytesIO(content[: int(share * len(content))]))


def test_a_jpeg_2000_that_is_cut_behind_its_header_is_no_grey_picture(noise):
    content = encode(noise, "JPEG2000").getvalue()
    assert said(BytesIO(content[: content.index(b"\xff\x93") + 2])) == "it ends early"


def test_gaps_are_never_filled(noise, monkeypatch):
    """A library beside ours may have set what is global in Pillow."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    expected = "PIL.ImageFile.LOAD_TRUNCATED_IMAGES is set, which fills gaps with grey"
    assert said(encode(noise, "JPEG")) == expected


@pytest.mark.parametrize("limit", [2000, 3000])
def test_a_bomb_is_a_sentence(limit, noise, monkeypatch):
    """4800 pixels: above twice the limit an error, above it a warning, which pytest makes one."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    assert said(encode(noise)).startswith("Image size (4800 pixels) exceeds limit of")


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_image_has_no_address_in_its_error(content):
    assert said(BytesIO(content)) == "it is none of the formats that are known"


def test_eps_is_not_run():
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n"
    assert said(BytesIO(content)) == "it is EPS, a program that would have to be run"


def test_a_file_of_another_kind_is_not_read_whole(monkeypatch):
    monkeypatch.setattr("gem.pixels.LARGEST_FILE", 10)
    with pytest.raises(ValueError, match=r"it has more than 10 bytes$"):
        read_image(gem.pixels.Path(__file__))
