"""What the tiny model is taught: captions that leave things out, and which of them are true."""

import re

import numpy as np
import pytest
import torch
from conftest import load_script

from evaluation.data.toy.backdrops import BACKDROPS
from evaluation.data.toy.outlines import COLOURS
from evaluation.data.toy.scenes import KINDS, TRAIN, draw_scene, vocabulary_words
from gem.backbones.word_tokenizer import WordTokenizer

COUNT = 40


@pytest.fixture(scope="module")
def script():
    return load_script("tiny/scenes")


@pytest.fixture(scope="module")
def scenes(script, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    first = script.render(COUNT, rank=1, processes=2, cache=cache)
    again = script.render(COUNT, rank=1, processes=2, cache=cache)  # read from the file
    assert torch.equal(first.images, again.images)
    assert np.array_equal(first.colours, again.colours)
    return again


def words_of(facts):
    names = [*KINDS, *BACKDROPS]
    return {names[bit] for bit in range(len(names)) if facts >> bit & 1}


def test_the_scenes_are_those_of_the_process(scenes):
    for row in (0, 7):
        scene = draw_scene(TRAIN[1 + 2 * row], size=96)
        assert np.array_equal(scenes.images[row].numpy().transpose(1, 2, 0), scene.image)
        (facts,) = scenes.facts(np.array([row]))
        assert words_of(facts) == {*scene.kinds, scene.backdrop}
        colours = [list(COLOURS)[scenes.colours[row, KINDS.index(kind)]] for kind in scene.kinds]
        assert tuple(colours) == scene.colours


def test_a_caption_names_some_of_what_is_there(script, scenes):
    rng, lengths = np.random.default_rng(0), set()
    for row in range(COUNT):
        shown = words_of(scenes.facts(np.array([row]))[0])
        for _ in range(20):
            text, facts = script.describe(rng, scenes.colours[row], scenes.backdrops[row])
            named = set(re.findall(r"[a-z]+", text.lower())) & {*KINDS, *BACKDROPS}
            assert named
            assert named == words_of(facts)
            assert named <= shown
            lengths.add((len(named & set(KINDS)), bool(named & set(BACKDROPS))))
    assert lengths > {(0, True), (1, False), (1, True), (3, False)}


def test_a_caption_is_true_of_every_image_that_shows_what_it_names(script, scenes):
    tokenizer = WordTokenizer(vocabulary_words(), 24)
    batch = script.draw_batch(scenes, tokenizer, np.random.default_rng(1), batch=COUNT, size=32)
    assert batch.images.shape == (COUNT, 3, 32, 32)
    assert batch.true.diagonal().all()
    assert set(batch.true.unique().tolist()) == {0.0, 1.0}
    same = (batch.tokens[:, None] == batch.tokens[None]).all(-1)
    assert (batch.true.T[:, None] == batch.true.T[None]).all(-1)[same].all()
