"""What the tiny model is taught: captions that leave things out, and which of them are true."""

import re

import numpy as np
import pytest
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
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.masks, again.masks)
    assert np.array_equal(first.colours, again.colours)
    return again


def words_of(facts):
    names = [*KINDS, *BACKDROPS]
    return {names[bit] for bit in range(len(names)) if facts >> bit & 1}


def whole(script, scenes, row):
    return scenes.cut(np.array([row]), script.SIZE, np.random.default_rng(0))


def test_the_scenes_are_those_of_the_process(script, scenes):
    for row in (0, 7):
        scene = draw_scene(TRAIN[1 + 2 * row], size=96)
        assert np.array_equal(scenes.images[row].transpose(1, 2, 0), scene.image)
        assert np.array_equal(scenes.masks[row], scene.mask)
        (facts,) = whole(script, scenes, row).facts(script.UNSURE)
        assert words_of(facts) == {*scene.kinds, scene.backdrop}
        colours = [list(COLOURS)[scenes.colours[row, KINDS.index(kind)]] for kind in scene.kinds]
        assert tuple(colours) == scene.colours


def test_a_part_of_a_scene_shows_what_is_in_it(script, scenes):
    rows, rng = np.arange(COUNT), np.random.default_rng(3)
    cut = scenes.cut(rows, 32, rng)
    assert cut.images.shape == (COUNT, 3, 32, 32)
    assert np.allclose(cut.shares.sum(1), 1)
    sure, possible = cut.facts(script.SURE), cut.facts(script.UNSURE)
    assert ((sure & ~possible) == 0).all()
    empty = [row for row in rows if cut.shares[row, 0] == 1]
    assert empty
    for row in rows:
        assert words_of(possible[row]) <= {*words_of(whole(script, scenes, row).facts(1e-9)[0])}
        kinds = {KINDS[k] for k in np.flatnonzero(cut.shares[row, 1:] >= script.SURE)}
        assert words_of(sure[row]) & set(KINDS) == kinds
        assert row not in empty or words_of(sure[row]) == {BACKDROPS[cut.backdrops[row]]}


def test_a_caption_names_some_of_what_is_there(script, scenes):
    rng, lengths = np.random.default_rng(0), set()
    for row in range(COUNT):
        kinds, backdrop = np.flatnonzero(scenes.colours[row] >= 0), scenes.backdrops[row]
        shown = {*(KINDS[kind] for kind in kinds), BACKDROPS[backdrop]}
        for some in [kinds] * 20 + [kinds[:0]]:
            text, facts = script.describe(rng, some, colours=scenes.colours[row], backdrop=backdrop)
            named = set(re.findall(r"[a-z]+", text.lower())) & {*KINDS, *BACKDROPS}
            assert named
            assert named == words_of(facts)
            assert named <= shown
            lengths.add((len(named & set(KINDS)), bool(named & set(BACKDROPS))))
    assert lengths > {(0, True), (1, False), (1, True), (3, False)}


def test_a_caption_is_true_of_every_image_that_shows_what_it_names(script, scenes):
    tokenizer, view = WordTokenizer(vocabulary_words(), 24), script.View(48, 32, 1.0, 1.0)
    rng = np.random.default_rng(1)
    batch = script.draw_batch(scenes, tokenizer, rng, batch=COUNT, view=view)
    assert batch.images.shape == (COUNT, 3, 32, 32)
    assert batch.true.diagonal().all()
    for values in (batch.true, batch.counted):
        assert set(values.unique().tolist()) == {0.0, 1.0}
    same = (batch.tokens[:, None] == batch.tokens[None]).all(-1)
    assert (batch.true.T[:, None] == batch.true.T[None]).all(-1)[same].all()
    assert batch.counted[batch.true == 1].all()


def test_what_is_named_must_all_be_there(script):
    assert script.holds(np.array([0b01, 0b11]), np.array([0b01, 0b10, 0b111])).tolist() == [
        [True, False],
        [False, False],
        [True, True],
    ]
