"""Decisions and counts stay on the GPU, and nothing of them is waited for on the way.

Each accumulator counts an image whose features are on a GPU that is not there (`fake_gpu`).
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from drawn import Noise
from fake_gpu import CUDA, fake_gpu

from evaluation.data import Points
from evaluation.measure.masks import MaskAccumulator
from evaluation.measure.points import PointAccumulator
from evaluation.measure.thresholds import ThresholdAccumulator
from evaluation.metrics.accumulator import count_together
from evaluation.setting import EvalProtocol, Pamr
from gem import ShortSide
from gem.features import PatchFeatures
from gem.vocabulary import Vocabulary
from gem.windows import SlidingWindow, tiles_of

SIZE, SHAPE = (40, 48), (57, 43)  # of the model's input, and of the truth
PLAIN = EvalProtocol(name="test", resize=ShortSide(size=40), background=0.6)
PROTOCOLS = {
    "plain": PLAIN,
    "min-max": replace(PLAIN, min_max=True),
    "mean": replace(PLAIN, reduce="mean"),
    "pamr": replace(PLAIN, pamr=Pamr(steps=2)),
}
SLIDING = SlidingWindow(size=24, stride=16)
WORDS = ("dog;puppy", "tree", "a photo of a house", "sheep grazing")


@pytest.fixture
def there():
    with fake_gpu():
        yield


def queries(words=WORDS, *, background=False):
    names = tuple(map(str, range(len(words))))
    vocabulary = Vocabulary(names=names, words=words, background=background)
    return vocabulary.with_text(torch.empty(len(vocabulary.class_words), 24, device=CUDA))


def image(windows=None):
    tiles = tiles_of(SIZE, windows, 8)
    rows, columns = (side // 8 for side in tiles.seen)
    features = torch.empty(len(tiles.corners), rows, columns, 24, device=CUDA)
    return PatchFeatures(features, tiles, torch.empty(3, *SIZE, device=CUDA))


def truth(labels=5):
    found = np.random.default_rng(0).integers(0, labels, SHAPE).astype(np.uint8)
    found[0] = 255
    return found


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    "windows", [None, SlidingWindow(size=24, stride=16)], ids=["whole", "slide"]
)
@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_masks_and_thresholds(protocol, windows):
    card, asked = Noise().card, queries()
    both = [MaskAccumulator(protocol, card, asked), ThresholdAccumulator(protocol, card, asked)]
    count_together(both, image(windows), truth())
    assert {part.device for one in both for part in one.state().values()} == {CUDA}


@pytest.mark.usefixtures("there")
def test_masks_without_a_background_and_with_words_for_it():
    card = Noise(background=False).card
    count_together([MaskAccumulator(PLAIN, card, queries())], image(), truth(4))
    asked = queries(("sky;wall", *WORDS), background=True)
    rules = replace(PLAIN, background=None, area_threshold=0.1)
    count_together([MaskAccumulator(rules, Noise().card, asked)], image(), truth())


@pytest.mark.usefixtures("there")
def test_points():
    rng = np.random.default_rng(0)
    points = Points(
        number=3, size=SHAPE, x=rng.random(9), y=rng.random(9),
        label=rng.integers(0, 4, 9), positive=rng.random(9) > 0.5,
    )  # fmt: skip
    accumulator = PointAccumulator(Noise().card, queries())
    count_together([accumulator], image(), points)
    assert accumulator.state()["rows"].device == CUDA
