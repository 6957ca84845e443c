"""Prompts in, maps out."""

import numpy as np
import pytest
import torch
from near_ties import COSINE
from PIL import Image

import gem
from gem.image import upsample
from gem.methods import Clip, Gem
from gem.resize import ShortSide, Square
from gem.segmenter import Segmenter
from gem.windows import Windows


@pytest.fixture
def image():
    pixels = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_the_input_is_resized_and_normalised(small, image):
    pixels = Segmenter(small, resize=ShortSide(size=40)).prepare(image)
    assert pixels.shape == (3, 40, 64)  # 66.7 is nearer to 8 patches than to 9
    assert small.mean == (0.48145466, 0.4578275, 0.40821073)
    assert small.std == (0.26862954, 0.26130258, 0.27577711)


def test_cosines_are_cosines(small, images):
    text = small.embed(["a cat", "a dog"])
    found = Segmenter(small, Gem(iters=0)).cosines(images, text)
    patches = Gem(iters=0)(small.trace(images, keep=4))
    for b, w, u, v in [(0, 0, 0, 0), (2, 1, 3, 1), (1, 0, 4, 4)]:
        patch = patches[b, 5 * u + v]
        cosine = patch @ text[w] / patch.norm() / text[w].norm()
        torch.testing.assert_close(found[b, w, u, v], cosine, atol=COSINE, rtol=0)


def test_heat_maps_have_the_size_of_the_image(small, image):
    segmenter = Segmenter(small, resize=Square(size=40))
    maps = segmenter.heatmaps(image, ["a cat", "a dog", "a car"])
    assert maps.shape == (3, 30, 50)
    assert maps.amin(dim=(1, 2)).tolist() == [0, 0, 0]
    assert maps.amax(dim=(1, 2)).tolist() == [1, 1, 1]


def test_a_prompt_does_not_see_the_others(small, image):
    segmenter = Segmenter(small, resize=Square(size=40))
    together = segmenter.heatmaps(image, ["a cat", "a dog"])
    alone = segmenter.heatmaps(image, ["a dog"])[0]
    torch.testing.assert_close(alone, together[1], atol=10 * COSINE, rtol=0)  # scaled by the span
    assert (together[0] - together[1]).abs().max() > 1000 * COSINE


def test_no_prompts(small, image):
    with pytest.raises(ValueError, match=r"^no prompts: give at least one$"):
        Segmenter(small).heatmaps(image, [])


def test_windows_are_cut_from_the_image(small):
    """Two windows that do not overlap are two images of their own."""
    images = torch.randn(1, 3, 24, 48, generator=torch.Generator().manual_seed(0))
    text = small.embed(["a cat", "a dog"])
    slid = Segmenter(small, windows=Windows(size=24, stride=24)).cosines(images, text)[0]
    alone = Segmenter(small)
    for left in (0, 24):
        own = alone.cosines(images[..., left : left + 24], text)[0]
        found = slid[:, :, left : left + 24]
        torch.testing.assert_close(found, upsample(own, (24, 24)), atol=COSINE, rtol=0)


def test_overlapping_windows_are_averaged(small):
    images = torch.randn(1, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    text = small.embed(["a cat"])
    slid = Segmenter(small, windows=Windows(size=16, stride=8)).cosines(images, text)[0]
    left, right = (
        upsample(Segmenter(small).cosines(images[..., start : start + 16], text)[0], (16, 16))
        for start in (0, 8)
    )
    expected = torch.cat([left[..., :8], (left[..., 8:] + right[..., :8]) / 2, right[..., 8:]], -1)
    torch.testing.assert_close(slid, expected, atol=COSINE, rtol=0)


def test_one_window_is_the_whole_image(small, images):
    text = small.embed(["a cat"])
    slid = Segmenter(small, windows=Windows(size=4096, stride=112)).cosines(images, text)
    assert torch.equal(slid, Segmenter(small).cosines(images, text))


def test_windows_are_whole_patches(small):
    """27 pixels and 13 are 3 patches of 8 and 1: the maps of 24 and 8."""
    images = torch.randn(2, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    rough, whole = (
        [view.features for view in Segmenter(small, windows=windows).see(images)]
        for windows in (Windows(size=27, stride=13), Windows(size=24, stride=8))
    )
    assert all(torch.equal(one, other) for one, other in zip(rough, whole, strict=True))


def test_load_builds_the_papers_method(folder):
    model = gem.load(str(folder), "embedded")
    assert model.method == Gem()
    assert model.resize == ShortSide(size=448)
    assert model.backbone.provenance.sha256
    model = gem.load(str(folder), "embedded", method=Clip(), short_side=64)
    assert (model.method, model.resize) == (Clip(), ShortSide(size=64))
