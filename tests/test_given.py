"""Images and prompts in every form that users have them in."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gem.given import as_image, as_images, as_prompts

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
SHARES = PIXELS.astype(np.float32) / 255


@pytest.mark.parametrize(
    "given",
    [
        Image.fromarray(PIXELS),
        PIXELS,
        SHARES,
        SHARES.astype(np.float64),
        torch.from_numpy(PIXELS).permute(2, 0, 1),
        torch.from_numpy(SHARES).permute(2, 0, 1),
        torch.from_numpy(SHARES).permute(2, 0, 1).requires_grad_(),
        Image.fromarray(np.dstack([PIXELS, np.zeros((5, 7), np.uint8)]), "RGBA"),
        PIXELS[:, ::-1][:, ::-1],  # not contiguous
    ],
)
def test_every_form_is_the_same_image(given):
    found = as_image(given)
    assert (found.mode, found.size) == ("RGB", (7, 5))
    np.testing.assert_array_equal(np.asarray(found), PIXELS)


@pytest.mark.parametrize("path", [str, Path])
def test_a_file(path, tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    np.testing.assert_array_equal(np.asarray(as_image(path(tmp_path / "a.png"))), PIXELS)


@pytest.mark.parametrize("given", [PIXELS[:, :, 0], torch.from_numpy(PIXELS[None, :, :, 0])])
def test_one_channel_is_grey(given):
    found = np.asarray(as_image(given))
    np.testing.assert_array_equal(found, np.repeat(PIXELS[:, :, :1], 3, axis=2))


def test_half_precision_is_rounded_to_eight_bits():
    given = torch.tensor([0.0, 1.0, 128 / 255]).bfloat16().reshape(3, 1, 1)
    assert np.asarray(as_image(given)).tolist() == [[[0, 255, 128]]]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (None, TypeError, "an image of the type NoneType, expected one of Pillow"),
        (PIXELS.tolist(), TypeError, "an image of the type"),
        (PIXELS[None], ValueError, "of several images, give list(images)"),
        (torch.from_numpy(PIXELS), ValueError, "(5, 7, 3), expected [y, x, 3]"),
        (PIXELS[:, :, :2], ValueError, "(5, 7, 2), expected"),
        (PIXELS[:0], ValueError, "(0, 7, 3), expected"),
        (PIXELS.astype(np.int64), ValueError, "an array of int64, expected uint8"),
        (SHARES * 255, ValueError, "expected [0, 1]: an image before it is normalised"),
        (SHARES - 0.5, ValueError, "expected [0, 1]"),
        (SHARES * np.nan, ValueError, "expected [0, 1]"),
        ("/no/such.png", FileNotFoundError, "there is no image /no/such.png"),
    ],
)
def test_what_is_no_image(given, error, said):
    with pytest.raises(error) as caught:
        as_image(given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_images():
    assert as_images(PIXELS)[1] is False
    found, several = as_images((PIXELS, SHARES))
    assert (len(found), several) == (2, True)


def test_prompts():
    assert as_prompts("a cat; a dog") == ("a cat; a dog",)
    assert as_prompts(["a cat", "a dog"]) == ("a cat", "a dog")
    with pytest.raises(ValueError, match=r"^no prompts: give at least one$"):
        as_prompts([])
    with pytest.raises(TypeError, match=r"^a prompt of the type int, expected a str$"):
        as_prompts(["a cat", 3])
