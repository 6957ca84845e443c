"""Prompts in, heat maps out, for any segmenter."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image

import gem
from gem import Clip, Gem, Grounder, Patches, ShortSide, SlidingWindow, Square


@pytest.fixture
def image():
    pixels = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def grounder(small):
    return Grounder(Patches(backbone=small, method=Gem()), Square(size=40))


def test_heat_maps_have_the_size_of_the_image(grounder, image):
    maps = grounder.heatmaps(image, ["a cat", "a dog", "a car"])
    assert maps.shape == (3, 30, 50)
    assert maps.amin(dim=(1, 2)).tolist() == [0, 0, 0]
    assert maps.amax(dim=(1, 2)).tolist() == [1, 1, 1]


def test_a_prompt_does_not_see_the_others(grounder, image):
    together = grounder.heatmaps(image, ["a cat", "a dog"])
    torch.testing.assert_close(grounder.heatmaps(image, ["a dog"])[0], together[1])


def test_windows_are_used(grounder, image):
    slid = Grounder(grounder.segmenter, grounder.resize, SlidingWindow(size=24, stride=16))
    assert not torch.equal(slid.heatmaps(image, ["a cat"]), grounder.heatmaps(image, ["a cat"]))


def test_no_prompts(grounder, image):
    with pytest.raises(ValueError, match=r"^no prompts: give at least one$"):
        grounder.heatmaps(image, [])


@dataclass
class Encoded:
    pixels: torch.Tensor
    labels = None

    def scores(self, queries):
        """The colour that a word names."""
        return self.pixels[[["red", "green", "blue"].index(word) for word in queries.words]]


class Colours:
    """A segmenter that is no CLIP: it reads no text, its scores are the channels of the image."""

    def prepare(self, image, *, resize, sample_id=""):
        size = resize.fit(image.height, image.width, 1)
        self.asked, self.id = [], sample_id
        pixels = np.array(image.resize(size[::-1], Image.Resampling.NEAREST))
        return torch.from_numpy(pixels).permute(2, 0, 1).float()

    def embed(self, vocabulary, prompts):
        self.asked = [
            t.format(word) for _, word in vocabulary.class_words for t in prompts.templates
        ]
        return torch.zeros(len(self.asked), 0)

    def encode_together(self, segmenters, images, *, windows):
        self.windows = windows
        return [[Encoded(one) for one in images] for _ in segmenters]


def test_a_segmenter_that_is_no_clip():
    pixels = np.zeros((4, 6, 3), dtype=np.uint8)
    pixels[:2, :, 0], pixels[:, 3:, 2] = 255, 128
    found = Grounder(Colours(), Square(size=4)).heatmaps(Image.fromarray(pixels), ["blue", "red"])
    assert found.shape == (2, 4, 6)
    assert found[0, :, 0].tolist() == [0] * 4
    assert found[0, :, 5].tolist() == [1] * 4
    assert found[1, 0].tolist() == [1] * 6
    assert found[1, 3].tolist() == [0] * 6


@pytest.mark.parametrize("prompt", ["a cat; a dog", " a cat ", "", "{}"])
def test_prompts_are_asked_as_typed(prompt, monkeypatch, image):
    """They are no words of a vocabulary, where ; separates and spaces are stripped."""
    monkeypatch.setattr(Encoded, "scores", lambda self, queries: self.pixels[: len(queries.words)])
    segmenter = Colours()
    embed, asked = segmenter.embed, []
    segmenter.embed = lambda *given: (embed(*given), asked.extend(segmenter.asked))[0]
    assert Grounder(segmenter, Square(size=4)).heatmaps(image, [prompt]).shape == (1, 30, 50)
    assert asked == [prompt]


def test_load_builds_the_papers_method(folder):
    model = gem.load(str(folder), "embedded")
    assert model.segmenter.method == Gem()
    assert (model.resize, model.windows) == (ShortSide(size=448), None)
    assert model.segmenter.provenance.sha256
    model = gem.load(str(folder), "embedded", method=Clip(), short_side=64)
    assert (model.segmenter.method, model.resize) == (Clip(), ShortSide(size=64))
