"""A backbone that keeps what it made: the same numbers, and no pass twice."""

import pytest
import torch

import gem
from gem.backbones.kept import Kept

METHODS = [
    gem.Gem(), gem.Gem(iters=3), gem.Gem(iters=1, blocks=2), gem.Gem(temperature_scale=2.0),
    gem.ClipSurgery(blocks=4), gem.MaskClip(), gem.Clip(), gem.Gem(),
]  # fmt: skip


def grounder(backbone, method):
    return gem.Grounder(gem.Patches(backbone=backbone, method=method), gem.ShortSide(size=40))


def test_every_method_gives_what_it_gives_alone(small, images, seen):
    kept, picture = Kept(small), images[0].sigmoid()
    found = [grounder(kept, method).scores(picture, ["a cat", "a dog"]) for method in METHODS]
    assert seen == [1]  # one pass, of one image
    for method, scores in zip(METHODS, found, strict=True):
        torch.testing.assert_close(
            scores, grounder(small, method).scores(picture, ["a cat", "a dog"])
        )


def test_another_image_is_seen_anew(small, images, seen):
    kept = Kept(small)
    pictures = [one.sigmoid() for one in images]
    for number in (0, 1, 1, 0):
        found = grounder(kept, gem.Gem()).scores(pictures[number], "a cat")
        torch.testing.assert_close(
            found, grounder(small, gem.Gem()).scores(pictures[number], "a cat")
        )
    assert seen.count(1) == 3 + 4  # kept: 0, 1, 0; alone: each time


def test_words_are_embedded_once(small, monkeypatch):
    asked, kept = [], Kept(small)
    embed = type(small).embed
    monkeypatch.setattr(
        type(small),
        "embed",
        lambda self, prompts: asked.append(list(prompts)) or embed(self, prompts),
    )
    first = kept.embed(["a cat", "a dog", "a cat"])
    second = kept.embed(["a dog", "a bird"])
    assert asked == [["a cat", "a dog"], ["a bird"]]
    assert torch.equal(first[1], second[0])
    assert torch.equal(first[0], first[2])
    kept.unload()
    kept.embed(["a cat"])
    assert asked[-1] == ["a cat"]


def test_not_without_bound(small, monkeypatch):
    monkeypatch.setattr("gem.backbones.kept.MOST_TEXTS", 3)
    kept = Kept(small)
    for words in (["a", "b"], ["c", "d"], ["a", "b", "c"]):
        assert kept.embed(words).shape == (len(words), 24)
        assert len(kept._texts) <= 3


def test_a_prompt_that_does_not_fit_leaves_the_others(small):
    kept = Kept(small)
    with pytest.raises(ValueError, match="tokens"):
        kept.embed(["a cat", "a " * 50])
    assert kept.embed(["a cat"]).shape == (1, 24)
