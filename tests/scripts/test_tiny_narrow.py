"""A tiny model with smaller cosines: as much smaller as asked, and the same order of words."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import REPOSITORY
from open_clip import create_model


@pytest.fixture(scope="module")
def tower():
    torch.manual_seed(0)
    folder = REPOSITORY / "gem" / "backbones" / "tiny"
    return create_model(f"local-dir:{folder}", load_weights=False).eval()


def cosines(images, texts):
    return F.normalize(images, dim=-1) @ F.normalize(texts, dim=-1).T


def test_cosines_shrink_and_words_keep_their_order(tiny_script, tower):
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.normal(size=(40, 3, 96, 96)).astype(np.float32))
    tokens = torch.from_numpy(rng.integers(1, 90, (30, 24)))
    with torch.no_grad():
        seen, read = tower.encode_image(images), tower.encode_text(tokens)
        tiny_script("model").narrow(tower, seen, read, scale=20)
        after = tower.encode_image(images)
    assert float(tower.logit_scale.detach().exp()) == pytest.approx(100)
    moved = after - seen
    assert torch.allclose(
        moved, moved[:1].expand_as(moved), atol=1e-3 * float(moved.norm(dim=1)[0])
    )
    old, new = cosines(seen, read), cosines(after, read)
    spread = [(one - one.mean(dim=1, keepdim=True)).flatten() for one in (old, new)]
    slope = float(spread[0] @ spread[1] / (spread[0] @ spread[0]))
    assert slope == pytest.approx(0.2, rel=0.1)
    assert float(torch.corrcoef(torch.stack(spread))[0, 1]) > 0.99
    assert float(cosines(after, after).mean()) > 0.95
