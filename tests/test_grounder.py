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


def test_lists_are_what_each_image_gives_alone(grounder, image):
    """Of several sizes, in their order; neighbours of one size share a pass."""
    wide = image.resize((80, 20))
    given = [image, image.rotate(90), wide, np.asarray(image)]
    many = Grounder(grounder.segmenter, ShortSide(size=40))
    found = many.heatmaps(given, "a cat")
    assert [one.shape for one in found] == [(1, 30, 50), (1, 30, 50), (1, 20, 80), (1, 30, 50)]
    for one, maps in zip(given, found, strict=True):
        torch.testing.assert_close(maps, many.heatmaps(one, ["a cat"]))
    assert many.heatmaps([], "a cat") == []


def test_scores_are_cosines_of_the_features(grounder, image):
    """At the centres of patches; heat maps are the same from 0 to 1."""
    square = image.resize((40, 40))
    features, text = grounder.features(square), grounder.embed(["a cat", "a dog"])
    assert features.shape == (5, 5, 24)
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(5, 5))
    scores = grounder.scores(square, ["a cat", "a dog"])
    torch.testing.assert_close(
        scores.unfold(1, 8, 8).unfold(2, 8, 8).mean(dim=(3, 4))[:, 1:-1, 1:-1],
        upsampled_means(torch.einsum("u v e, w e -> w u v", features, text)),
        atol=1e-6, rtol=0,
    )  # fmt: skip
    heats = grounder.heatmaps(square, ["a cat", "a dog"])
    low, high = scores.amin((1, 2), keepdim=True), scores.amax((1, 2), keepdim=True)
    torch.testing.assert_close(heats, (scores - low) / (high - low))


def upsampled_means(maps):
    """The mean over each inner patch's 8 x 8 pixels of a bilinear map: by hand, along each axis.

    Pixel k of 8 lies (k - 3.5) / 8 from the centre, so the share of the neighbour above is
    (0.4375 + 0.3125 + 0.1875 + 0.0625) / 8 = 0.125, and as much that of the one below.
    """
    for axis in (1, 2):
        inner = maps.narrow(axis, 1, maps.shape[axis] - 2)
        before = maps.narrow(axis, 0, maps.shape[axis] - 2)
        after = maps.narrow(axis, 2, maps.shape[axis] - 2)
        maps = 0.75 * inner + 0.125 * (before + after)
    return maps


def test_features_of_what_has_none(grounder, image):
    with pytest.raises(ValueError, match=r"^Colours has no features of patches$"):
        Grounder(Colours(), Square(size=4)).features(image)
    slid = Grounder(grounder.segmenter, grounder.resize, SlidingWindow(size=24, stride=16))
    with pytest.raises(ValueError, match=r"lie on no single grid$"):
        slid.features(image)


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

    title = "Colours"

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


@pytest.mark.parametrize("name", ["clip_surgery", "ClipSurgery", "clip-surgery"])
def test_a_method_by_its_name(folder, name):
    assert gem.load(str(folder), "embedded", method=name).segmenter.method == gem.ClipSurgery()


def test_what_load_does_not_know(folder):
    with pytest.raises(ValueError, match=r"^method='mine' is not known, expected one of clearclip"):
        gem.load(str(folder), "embedded", method="mine")
    with pytest.raises(ValueError, match=r"^method='proxyclip' has options without a default: gem"):
        gem.load(str(folder), "embedded", method="proxyclip")
    with pytest.raises(ValueError, match=r"^gem\.load\('ViT-B-16'\): say which weights"):
        gem.load("ViT-B-16")


def test_device_and_precision(folder):
    backbone = gem.load(str(folder), "embedded", device="cpu", precision="bf16").segmenter.backbone
    assert (backbone.device, backbone.precision) == ("cpu", "bf16")


def test_every_method_that_is_exported_can_be_named():
    names = [one for one in gem.methods.__all__ if one not in {"Method", "ProxyClip"}]
    assert all(type(gem.method_of(name)).__name__ == name for name in names)


def test_the_version():
    assert gem.__version__.count(".") == 2
