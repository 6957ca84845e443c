"""The loss that the tiny model is trained by, and its lean forward pass, against open_clip's."""

import numpy as np
import pytest
import torch
from conftest import REPOSITORY
from open_clip import create_model

from evaluation.data.toy.scenes import vocabulary_words
from gem.backbones.word_tokenizer import WordTokenizer

COUNT = 6


@pytest.fixture(scope="module")
def model():
    return create_model(f"local-dir:{REPOSITORY / 'gem' / 'backbones' / 'tiny'}").eval()


@torch.no_grad()
def test_the_loss_is_that_of_smoothed_labels(tiny_script, model):
    """Summed over the captions of which anybody can say whether they are true of the image."""
    learn = tiny_script("learn")
    scenes = learn.render(COUNT, rank=0, processes=1, cache=None)
    tokenizer = WordTokenizer(vocabulary_words(), 24)
    view = learn.VIEWS[1]
    batch = learn.draw_batch(scenes, tokenizer, np.random.default_rng(0), batch=COUNT, view=view)
    assert 0 < batch.true.mean() < 1
    batch.counted[0, 1] = 0
    images, texts, scale = model(batch.images, batch.tokens)[:3]
    chance = torch.sigmoid(scale * images @ texts.T + model.logit_bias).double()
    wanted = torch.where(batch.true == 1, 0.99, 0.01).double()
    each = -(wanted * chance.log() + (1 - wanted) * (1 - chance).log()) * batch.counted
    found = learn.contrast(model, batch, kept=1.0, dtype=torch.float32)
    assert float(found) == pytest.approx(float(each.sum()) / COUNT, rel=1e-3)


def test_a_start_that_is_not_there(tiny_script, tmp_path):
    with pytest.raises(ValueError, match=r"^start=.*: there is no model\.safetensors in it$"):
        tiny_script("train").main([f"out={tmp_path}/out", f"start={tmp_path}"])
    assert not (tmp_path / "out").exists()
