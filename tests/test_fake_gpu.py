"""Every backbone and method computes where its model is, and asks the GPU for nothing."""

import pytest
import torch
from companions import write_folder
from fake_gpu import CUDA, backbone_on, companion_on, fake_gpu
from test_field_methods import CASES, named
from torch._subclasses.fake_tensor import DataDependentOutputException

import gem
from gem.patches import Patches
from gem.vocabulary import Vocabulary
from gem.windows import Padded, SlidingWindow

METHODS = [
    gem.Clip(), gem.MaskClip(), gem.ClipSurgery(blocks=3), gem.Gem(),
    gem.Gem(mlp=True, temperature="standard", normalize=False), *(method for _, method in CASES),
]  # fmt: skip
WINDOWS = {
    "whole": None,
    "sliding": SlidingWindow(size=24, stride=16),
    "padded": Padded(SlidingWindow(size=30, stride=20), 8),
}
VOCABULARY = Vocabulary(names=("a", "b"), words=("dog;puppy", "cat"))


def check(backbone, method, windows=None):
    """Two images, from the pixels on the host to the scores of words."""
    text = torch.empty(3, backbone.shape.embedding, device=CUDA)
    queries = VOCABULARY.with_text(text)
    segmenter = Patches(backbone=backbone, method=method)
    for one in segmenter.encode(torch.empty(2, 3, 40, 48), windows=windows):
        assert one.features.device == CUDA
        assert one.features.dtype == torch.float32
        assert one.scores(queries).device == CUDA


def test_the_fake_gpu_tells_what_it_should():
    with fake_gpu():
        there, here = torch.empty(2, device=CUDA), torch.empty(2)
        with pytest.raises(RuntimeError, match="at least two devices"):
            there + here
        with pytest.raises(DataDependentOutputException):
            there.sum().item()
        with pytest.raises(Exception, match="nonzero"):
            there[there > 0]


@pytest.mark.parametrize("method", METHODS, ids=lambda one: f"{one.title} {named(one) or ''}")
def test_a_method(method, folder):
    with fake_gpu():
        check(backbone_on(folder), method)


@pytest.mark.parametrize("windows", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_precisions_and_windows(precision, windows, folder):
    with fake_gpu():
        check(backbone_on(folder, precision=precision), gem.Gem(), windows)


@pytest.mark.parametrize("positions", ["antialias", "bicubic", "bilinear"])
def test_positions(positions, folder):
    with fake_gpu():
        check(backbone_on(folder, positions=positions), gem.Clip())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_companion(precision, folder, tmp_path):
    beside = write_folder(tmp_path / "beside")
    with fake_gpu():
        companion = companion_on(beside, precision=precision)
        check(backbone_on(folder), gem.ProxyClip(companion=companion))


def test_the_text_tower(folder):
    with fake_gpu():
        backbone = backbone_on(folder)
        assert backbone.embed(["a dog", "a cat"]).device == CUDA
        assert backbone.embed(["a dog"] * 300).shape == (300, 24)
