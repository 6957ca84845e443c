"""Images in, maps out."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gem import read_image
from gem.image import min_max, to_input, upsample

MEAN, STD = (0.1, 0.2, 0.3), (0.5, 0.25, 0.125)


def picture(mode, size=(6, 4)):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "1", "LA"])
def test_every_kind_of_image_is_read_as_rgb(mode, tmp_path):
    path = tmp_path / ("image.tif" if mode == "CMYK" else "image.png")
    picture(mode).save(path)
    image = read_image(path)
    assert (image.mode, image.size) == ("RGB", (6, 4))


def test_a_palette_is_read_as_its_colours(tmp_path):
    picture("RGB").quantize(4).save(tmp_path / "palette.png")
    found = np.array(read_image(str(tmp_path / "palette.png")))
    assert np.array_equal(found, np.array(Image.open(tmp_path / "palette.png").convert("RGB")))
    assert len(np.unique(found.reshape(-1, 3), axis=0)) == 4


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"^there is no image {tmp_path}/no\.jpg$"):
        read_image(tmp_path / "no.jpg")


@pytest.mark.parametrize("broken", ["text", "cut", "empty", "folder"])
def test_a_broken_image_is_named(broken, tmp_path):
    path = tmp_path / "broken.jpg"
    picture("RGB", size=(64, 64)).save(path)
    content = {"text": b"no image", "cut": path.read_bytes()[:700], "empty": b""}
    path.unlink()
    path.mkdir() if broken == "folder" else path.write_bytes(content[broken])
    with pytest.raises(ValueError, match=rf"^{path} cannot be read as an image: "):
        read_image(path)


def test_normalisation_by_hand():
    image = Image.new("RGB", (2, 3), (255, 0, 51))
    pixels = to_input(image, (3, 2), mean=MEAN, std=STD)
    expected = torch.tensor([(1 - 0.1) / 0.5, (0 - 0.2) / 0.25, (0.2 - 0.3) / 0.125])
    torch.testing.assert_close(pixels, expected[:, None, None].expand(3, 3, 2))


def test_resizing_by_opencv_is_bilinear_without_antialias():
    """Half the size: of four pixels the mean, whatever lies around; Pillow's filter looks wider."""
    image = picture("RGB", size=(40, 30))
    whole = np.asarray(image).astype(int)
    pixels = to_input(
        image, (15, 20), mean=(0.0,) * 3, std=(1.0,) * 3, resampling="opencv_bilinear"
    )
    mean = whole.reshape(15, 2, 20, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(pixels.numpy() * 255 - mean).max() <= 0.5 + 1e-4
    other = to_input(image, (15, 20), mean=(0.0,) * 3, std=(1.0,) * 3)
    assert (pixels - other).abs().max() > 0.02


def test_resizing_is_pillows_bicubic():
    image = picture("RGB", size=(40, 30))
    pixels = to_input(image, (16, 24), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    reference = np.array(image.resize((24, 16), Image.Resampling.BICUBIC)) / 255
    np.testing.assert_allclose(pixels.permute(1, 2, 0), reference, atol=1e-6)


def test_input_is_that_of_open_clips_own_transform():
    from open_clip.transform import image_transform

    image = picture("RGB", size=(50, 40))
    own = image_transform(40, is_train=False, mean=MEAN, std=STD, resize_mode="squash")
    torch.testing.assert_close(to_input(image, (40, 40), mean=MEAN, std=STD), own(image))


def test_upsampling_puts_a_patch_at_its_centre():
    """4 pixels a patch, so that the centre falls between pixels 1 and 2."""
    line = upsample(torch.tensor([[[0.0, 8.0]]]), (1, 8))[0, 0]
    assert line.tolist() == [0, 0, 1, 3, 5, 7, 8, 8]


@pytest.mark.parametrize(("grid", "size"), [((2, 5), (7, 11)), ((9, 4), (5, 3)), ((1, 1), (4, 3))])
def test_upsampling_is_torchs_bilinear(grid, size):
    maps = torch.randn(3, *grid, generator=torch.Generator().manual_seed(0))
    reference = torch.nn.functional.interpolate(maps[None], size, mode="bilinear")[0]
    # torch computes the place of a pixel in float32, ours in float64
    torch.testing.assert_close(upsample(maps, size), reference, atol=1e-5, rtol=0)


def whole_and_bands(size, step):
    """Maps upsampled at once, and ``step`` rows at a time."""
    maps = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(0))
    rows = [slice(top, top + step) for top in range(0, size[0], step)]
    return upsample(maps, size), torch.cat([upsample(maps, size, band) for band in rows], dim=1)


@given(step=st.integers(1, 20), height=st.integers(1, 150), width=st.sampled_from([1, 9, 131]))
def test_bands_are_rows_of_the_whole(step, height, width):
    """Bit for bit: the label of a pixel must not depend on the memory that is there."""
    whole, bands = whole_and_bands((height, width), step)
    assert torch.equal(bands, whole)


def test_each_map_is_scaled_on_its_own():
    maps = torch.tensor([[[1.0, 3.0], [2.0, 1.0]], [[-4.0, 0.0], [0.0, -1.0]]])
    expected = torch.tensor([[[0.0, 1.0], [0.5, 0.0]], [[0.0, 1.0], [1.0, 0.75]]])
    assert torch.equal(min_max(maps), expected)


def test_a_constant_map_is_zero_and_not_nan():
    maps = torch.full((2, 2, 2), 0.3)
    maps[1, 0, 0] = 0.4
    assert min_max(maps)[0].tolist() == [[0, 0], [0, 0]]
    assert min_max(maps)[1].max() == 1


@pytest.mark.parametrize(("span", "highest"), [(1e-4, 1), (1e-7, 0)])
def test_small_spans_reach_one_and_rounding_does_not(span, highest):
    scaled = min_max(torch.tensor([[[0.0, span]]]))
    assert scaled.tolist() == [[[0, highest]]]
