"""Options for speed: what they change, and that nothing else does."""

from dataclasses import replace

import pytest
import torch

import gem
from gem.backbones import clip_tower as towers
from gem.device import float32_products
from gem.patches import Patches


def precisions():
    return torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision


@pytest.mark.parametrize(("tf32", "kind"), [(False, "ieee"), (True, "tf32")])
def test_float32_is_multiplied_as_asked_and_then_as_before(tf32, kind):
    before = precisions()
    with pytest.raises(KeyError), float32_products(tf32=tf32):  # noqa: PT012
        assert precisions() == (kind, kind)
        raise KeyError
    assert precisions() == before


@pytest.mark.parametrize(("precision", "kind"), [("fp32", "ieee"), ("tf32", "tf32")])
def test_the_tower_is_multiplied_as_its_precision_says(precision, kind, small, images, monkeypatch):
    """And cosines with all bits, whatever the tower does."""
    seen, block = [], towers.ViTBlock.mlp
    monkeypatch.setattr(
        towers.ViTBlock, "mlp", lambda *given: seen.append(precisions()) or block(*given)
    )
    backbone = replace(small, precision=precision)
    (one, *_) = Patches(backbone=backbone, method=gem.Gem()).encode(images)
    assert set(seen) == {(kind, kind)}
    assert (one.features.dtype, backbone.towers.dtype) == (torch.float32, torch.float32)
    (exact, *_) = Patches(backbone=small, method=gem.Gem()).encode(images)
    assert torch.equal(one.features, exact.features)  # on a CPU


def test_compiled_blocks_are_the_blocks(small, images, monkeypatch):
    graphs, real = [], torch.compile

    def backend(graph, _):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", lambda part: real(part, backend=backend))
    towers._compiled.cache_clear()
    try:
        found = Patches(backbone=replace(small, compile=True), method=gem.Gem()).encode(images)
    finally:
        towers._compiled.cache_clear()
    expected = Patches(backbone=small, method=gem.Gem()).encode(images)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.features, other.features, rtol=0, atol=1e-6)
    assert 4 <= len(graphs) <= 8  # the five blocks share what is compiled
