"""Drawn scenes: the same on every call, labelled exactly, captioned in known words."""

import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from evaluation.data.toy import captions, objects, scenes
from evaluation.data.toy.backdrops import BACKDROPS
from evaluation.data.toy.captions import write_caption
from evaluation.data.toy.outlines import COLOURS, Paint
from evaluation.data.toy.scenes import EVAL, KINDS, TRAIN, TUNE, draw_scene, vocabulary_words

WHITE = (255, 255, 255)
MANY = [draw_scene(seed, size=32) for seed in range(250)]


def test_a_scene_is_a_function_of_its_seed():
    first, again, other = (draw_scene(seed, size=48) for seed in (5, 5, 6))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    assert (first.kinds, first.colours) == (again.kinds, again.colours)
    assert not np.array_equal(first.image, other.image)


def test_scenes_are_those_that_the_tiny_model_and_the_records_know():
    # A change here changes the data: train the tiny model again and say so in the changelog.
    # Masks, not images: they hold whole pixels only, the same on every platform.
    digest = hashlib.sha256(b"".join(scene.mask.tobytes() for scene in MANY[:40]))
    assert digest.hexdigest()[:16] == "2f2bdfd5391ec69d"
    assert (MANY[0].kinds, MANY[0].backdrop) == (("fish", "bird"), "wavy")


def test_another_size_is_the_same_scene():
    small, large = draw_scene(11, size=40), draw_scene(11, size=160)
    assert small.kinds == large.kinds
    assert np.mean(small.mask == large.mask[2::4, 2::4]) > 0.97
    coarse = large.image.reshape(40, 4, 40, 4, 3).mean((1, 3))
    assert np.abs(coarse - small.image).mean() < 6


def test_the_splits_share_no_seed():
    spans = sorted((r.start, r.stop) for r in (TRAIN, TUNE, EVAL))
    assert spans[0][0] >= 0
    assert all(stop <= start for (_, stop), (start, _) in pairwise(spans))


def test_types_labels_and_kinds_agree():
    for scene in MANY:
        assert scene.image.shape == (32, 32, 3)
        assert scene.image.dtype == scene.mask.dtype == np.uint8
        assert tuple(KINDS[k - 1] for k in np.unique(scene.mask) if k) == scene.kinds
        assert 1 <= len(scene.kinds) <= 4


def test_every_kind_every_count_and_every_background_occurs():
    assert {kind for scene in MANY for kind in scene.kinds} == set(KINDS)
    assert {len(scene.kinds) for scene in MANY} == {1, 2, 3, 4}
    assert {scene.backdrop for scene in MANY} == set(BACKDROPS)
    assert {colour for scene in MANY for colour in scene.colours} == set(COLOURS)


def test_no_object_is_lost_behind_another():
    shares = [np.mean(s.mask == KINDS.index(k) + 1) for s in MANY for k in s.kinds]
    assert min(shares) > 0.005


def whitened(kind, paint):
    return [replace(part, colour=WHITE) for part in objects.object_parts(kind, paint)]


def black(_rng, _name, *, colours, size):
    assert len(colours) == 2
    return Image.new("RGB", (size, size))


def test_the_mask_is_the_object_and_not_its_surroundings(monkeypatch):
    """Objects in pure white on pure black: what is white in the image is labelled, and no more."""
    monkeypatch.setattr(scenes, "smooth_noise", lambda _rng, _cells, n: np.zeros((n, n)))
    monkeypatch.setattr(scenes, "object_parts", whitened)
    monkeypatch.setattr(scenes, "draw_backdrop", black)
    scene = draw_scene(3, size=96)
    covered = scene.image[..., 0] / 255
    assert np.all(scene.mask[covered == 1] > 0)
    assert np.all(scene.mask[covered == 0] == 0)
    assert 0 < np.mean((covered > 0) & (covered < 1)) < 0.1


def test_captions_name_what_they_are_given_and_no_more_in_known_words():
    known, rng = set(vocabulary_words()), np.random.default_rng(0)
    seen = set()
    for scene in MANY:
        for backdrop in (None, scene.backdrop):
            text = write_caption(rng, scene.kinds, colours=scene.colours, backdrop=backdrop)
            words = set(re.findall(r"[a-z0-9]+", text.lower()))
            assert words <= known
            assert words & set(KINDS) == set(scene.kinds)
            assert words & set(BACKDROPS) == {backdrop} - {None}
            seen |= words
    assert seen > set(COLOURS)


def test_a_background_is_described_alone():
    text = write_caption(np.random.default_rng(0), (), colours=(), backdrop="dotted")
    assert "a dotted background" in text


def test_captions_choose_the_right_article():
    assert captions.article("umbrella") == "an umbrella"
    assert captions.article("car") == "a car"


def test_objects_stay_near_their_square():
    paint = Paint((200, 0, 0), (0, 0, 200))
    for kind in KINDS:
        corners = np.array([c for part in objects.object_parts(kind, paint) for c in part.corners])
        assert np.abs(corners).max() <= 1.06
        assert np.ptp(corners, axis=0).min() > 1.0


def test_a_size_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 16 pixels wide, got size=8"):
        draw_scene(0, size=8)


def test_scenes_need_no_torch():
    code = "import sys, evaluation.data.toy.scenes; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
