"""Heat maps over images: what is drawn, on which scale."""

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image

import gem
from gem.overlay import ANCHORS, Scale, colours, common_scale, overlay
from gem.sheet import draw

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)


def test_the_colours_are_those_of_matplotlib():
    places = np.linspace(0, 1, len(ANCHORS))
    reference = mpl.colormaps["inferno"](places)[:, :3]
    np.testing.assert_allclose(colours(places), reference, atol=0.5 / 255 + 1e-9)
    light = colours(np.linspace(0, 1, 50)) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(light) > 0).all()  # each step is lighter


def test_where_nothing_is_found_the_image_is_as_it_was():
    image, strength = Image.fromarray(PIXELS), np.zeros((30, 50))
    strength[:, 25:] = 1
    found = np.asarray(overlay(image, strength, alpha=1.0))
    np.testing.assert_array_equal(found[:, :25], PIXELS[:, :25])
    assert np.unique(found[:, 25:].reshape(-1, 3), axis=0).tolist() == [[252, 255, 164]]


def test_a_prompt_that_is_absent_stays_darker():
    maps = np.full((2, 10, 10), 0.1)
    maps[0, :3, :3], maps[1, 7:, 7:] = 0.3, 0.15
    scale = common_scale(maps)
    assert scale == Scale(0.1, 0.3)
    assert scale.strength(maps).max(axis=(1, 2)).tolist() == pytest.approx([1, 0.25])
    assert scale.strength(np.array([0.0, 0.5])).tolist() == [0, 1]
    assert common_scale(np.ones((1, 2, 2))).strength(np.ones(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("number", [1, 3, 4, 9])
def test_every_prompt_has_a_cell(number):
    """Four in a row at most, and rows are even; all of one size, small images enlarged."""
    maps = np.random.default_rng(1).random((number, 10, 20))
    found = gem.visualize(PIXELS, [f"a {n}" for n in range(number)], maps, caption="a model")
    across, down = {1: (2, 1), 3: (4, 1), 4: (3, 2), 9: (4, 3)}[number]
    assert found.width == 14 + across * (320 + 14)
    assert found.height > down * 192  # 50 x 30 at a longer side of 320
    assert found.height < down * 192 + down * 62 + 110


def test_other_pictures_and_marks():
    """A square of the prompt's colour stands before its title."""
    maps, other = np.zeros((1, 10, 20)), Image.new("RGB", (5, 3), (10, 200, 10))
    plain = np.asarray(draw(PIXELS, ["a"], maps, beside={"labels": other}))
    marked = np.asarray(draw(PIXELS, ["a"], maps, beside={"labels": other}, marks={"a": "#0000ff"}))
    assert plain.shape == marked.shape
    assert (marked == (0, 0, 255)).all(axis=-1).sum() == 15 * 15
    cell = plain[62 : 62 + 180, 14 + 334 : 14 + 334 + 300]
    assert (cell == (10, 200, 10)).all()


@pytest.mark.parametrize("form", ["numpy", "tensor", "batch of one"])
def test_maps_in_every_form(form, tmp_path):
    maps = np.random.default_rng(1).random((2, 10, 20)).astype(np.float32)
    given = {"numpy": maps, "tensor": torch.from_numpy(maps)}.get(
        form, torch.from_numpy(maps)[None]
    )
    found = gem.visualize(PIXELS, ["a", "b"], given, save_path=tmp_path / "a.png")
    assert found.tobytes() == gem.visualize(PIXELS, ["a", "b"], maps).tobytes()
    with Image.open(tmp_path / "a.png") as written:
        assert written.tobytes() == found.tobytes()


def test_a_normalised_tensor_is_shown_as_it_was():
    transform = gem.get_gem_img_transform((30, 50))
    given = transform(Image.fromarray(PIXELS))[None]
    maps = np.zeros((1, 5, 5))
    plain = np.asarray(gem.visualize(PIXELS, "a", maps), dtype=int)
    assert abs(np.asarray(gem.visualize(given, "a", maps), dtype=int) - plain).max() <= 1


def test_long_and_many_lined_prompts_stay_in_their_cell():
    maps = np.zeros((2, 4, 4))
    long = gem.visualize(PIXELS, ["a word " * 40, "two\nlines"], maps)
    assert long.size == gem.visualize(PIXELS, ["a", "b"], maps).size


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        (np.zeros((3, 4, 4)), "3 maps for 2 prompts"),
        (np.zeros((4, 4)), "maps of the shape (4, 4), expected [prompts, height, width]"),
        (np.full((2, 4, 4), np.nan), "maps with values that are not finite"),
    ],
)
def test_maps_that_do_not_fit(maps, said):
    with pytest.raises(ValueError) as caught:
        gem.visualize(PIXELS, ["a", "b"], maps)
    assert str(caught.value) == said
