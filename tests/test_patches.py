"""A backbone and a method together: scores of words for the patches of images."""

import functools

import numpy as np
import pytest
import torch
from conftest import write_config
from PIL import Image

from gem import (
    Clip,
    ClipSurgery,
    Gem,
    MaskClip,
    Naclip,
    OpenClip,
    Patches,
    ResClip,
    ShortSide,
    SlidingWindow,
)
from gem.image import upsample
from gem.segmenter import EncodedImage, Segmenter
from gem.vocabulary import Prompts, Queries, Vocabulary
from gem.windows import Padded

METHODS = [Gem(iters=2), Clip(), Gem(blocks=2), ClipSurgery(blocks=3), MaskClip(), Gem(iters=0)]
SLIDING = SlidingWindow(size=24, stride=16)


@pytest.fixture
def patches(small):
    return functools.partial(Patches, backbone=small)


@pytest.fixture
def queries(small):
    return asked(small, "a cat", "a dog")


def asked(backbone, *words):
    index = torch.arange(len(words))
    return Queries(
        backbone.embed(words), owners=tuple(index.tolist()), background=False, words=words
    )


def scores(segmenter, images, queries, windows=None):
    encoded = segmenter.encode(images, windows=windows)
    return torch.stack([one.scores(queries) for one in encoded])


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("protocol", [Segmenter, EncodedImage])
def test_every_promise_of_the_seam(protocol, patches, images):
    segmenter = patches(method=Gem())
    one = {Segmenter: segmenter, EncodedImage: segmenter.encode(images[:1])[0]}[protocol]
    promised = {name for name in vars(protocol) if not name.startswith("_")}
    assert promised
    assert all(hasattr(one, name) for name in promised)


def test_the_input_is_resized_and_normalised(patches, small):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    found = patches(method=Gem()).prepare(Image.fromarray(pixels), resize=ShortSide(size=40))
    assert found.shape == (3, 40, 64)  # 66.7 is nearer to 8 patches than to 9
    assert small.mean == (0.48145466, 0.4578275, 0.40821073)
    assert small.std == (0.26862954, 0.26130258, 0.27577711)


def test_scores_are_cosines(small, patches, images, queries):
    found = scores(patches(method=Gem(iters=0)), images, queries)
    features = Gem(iters=0)(small.trace(images, keep=4))
    for b, w, u, v in [(0, 0, 0, 0), (2, 1, 3, 1), (1, 0, 4, 4)]:
        patch, text = features[b, 5 * u + v], queries.text[w]
        cosine = patch @ text / patch.norm() / text.norm()
        torch.testing.assert_close(found[b, w, u, v], cosine, atol=1e-6, rtol=0)


def test_the_protocol_decides_from_scores(patches, images):
    assert patches(method=Clip()).encode(images)[0].labels is None


@pytest.mark.parametrize("windows", [None, SLIDING])
def test_together_is_bit_for_bit_alone(windows, patches, images):
    """In whatever order the methods share the trace."""
    segmenters = [patches(method=method) for method in METHODS]
    together = segmenters[-1].encode_together(segmenters, images, windows=windows)
    assert len(together) == len(METHODS)
    for segmenter, found in zip(segmenters, together, strict=True):
        alone = segmenter.encode(images, windows=windows)
        assert len(found) == len(images)
        for one, other in zip(found, alone, strict=True):
            assert torch.equal(one.features, other.features)


def test_together_is_one_pass_a_window(patches, images, seen):
    segmenters = [patches(method=method) for method in METHODS]
    segmenters[0].encode_together(segmenters, images, windows=SLIDING)
    assert seen == [3] * 4


def test_only_one_backbone_encodes_together(patches, folder, images):
    mine, other = (
        patches(method=Clip()),
        Patches(backbone=OpenClip(model=str(folder), device="cpu", seed=9), method=Clip()),
    )
    assert mine.pass_key == patches(method=Gem()).pass_key != other.pass_key
    with pytest.raises(ValueError, match=r"^segmenters that encode together need the same backbo"):
        mine.encode_together([mine, other], images, windows=None)


def test_windows_are_cut_from_the_image(patches, queries):
    """Two windows that do not overlap are two images of their own."""
    images, segmenter = noise(1, 3, 24, 48), patches(method=Gem())
    slid = scores(segmenter, images, queries, SlidingWindow(size=24, stride=24))[0]
    for left in (0, 24):
        own = scores(segmenter, images[..., left : left + 24], queries)[0]
        found = slid[:, :, left : left + 24]
        torch.testing.assert_close(found, upsample(own, (24, 24)), atol=1e-6, rtol=0)


def test_overlapping_windows_are_averaged(patches, queries):
    images, segmenter = noise(1, 3, 16, 24), patches(method=Gem())
    slid = scores(segmenter, images, queries, SlidingWindow(size=16, stride=8))[0]
    left, right = (
        upsample(scores(segmenter, images[..., start : start + 16], queries)[0], (16, 16))
        for start in (0, 8)
    )
    expected = torch.cat([left[..., :8], (left[..., 8:] + right[..., :8]) / 2, right[..., 8:]], -1)
    torch.testing.assert_close(slid, expected, atol=1e-6, rtol=0)


def test_one_window_is_the_whole_image_upsampled_to_it(patches, images, queries):
    """As slide inference does, even if there is nothing to add up."""
    segmenter = patches(method=Gem())
    slid = scores(segmenter, images, queries, SlidingWindow(size=4096, stride=112))
    whole = [upsample(one, (40, 40)) for one in scores(segmenter, images, queries)]
    assert torch.equal(torch.stack(list(slid)), torch.stack(whole))


def test_a_window_is_padded_with_zeros_and_its_map_is_cut(patches, queries):
    """An image smaller than its window: 20 x 27 pixels become 24 x 32."""
    images, segmenter = noise(1, 3, 20, 27), patches(method=Gem())
    padded = torch.zeros(1, 3, 24, 32)
    padded[:, :, 2:22, 2:29] = images
    expected = upsample(scores(segmenter, padded, queries)[0], (24, 32))[:, 2:22, 2:29]
    for windows in (SlidingWindow(size=4096, stride=112), None):
        found = scores(segmenter, images, queries, Padded(windows, None))[0]
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_an_image_keeps_its_pixels(patches):
    images = noise(2, 3, 40, 48)
    found = patches(method=Gem()).encode(images, windows=SLIDING)
    assert all(torch.equal(one.pixels, image) for one, image in zip(found, images, strict=True))


def test_windows_are_whole_patches(patches):
    """27 pixels and 13 are 3 patches of 8 and 1: the features of 24 and 8."""
    rough, whole = (
        patches(method=Gem()).encode(noise(2, 3, 32, 40), windows=windows)
        for windows in (SlidingWindow(size=27, stride=13), SlidingWindow(size=24, stride=8))
    )
    assert all(len(one.tiles.corners) == 6 for one in rough)
    assert all(torch.equal(a.features, b.features) for a, b in zip(rough, whole, strict=True))


@pytest.mark.parametrize(
    "windows",
    [None, SLIDING, SlidingWindow(size=27, stride=13), Padded(SLIDING, 20), Padded(None, 20)],
)
def test_the_estimate_of_memory_is_what_an_image_takes(windows, patches):
    segmenter = patches(method=Clip())
    (encoded,) = segmenter.encode(noise(1, 3, 48, 64), windows=windows)
    held = encoded.features.numel() * encoded.features.element_size()
    assert segmenter.features_bytes((48, 64), windows) == held


def test_too_many_blocks_are_refused_before_anything_is_loaded(tmp_path):
    backbone = OpenClip(model=str(write_config(tmp_path / "none")), weights="no such tag")
    Patches(backbone=backbone, method=Gem(blocks=5)).check(["one"])
    with pytest.raises(ValueError) as caught:
        Patches(backbone=backbone, method=Gem(blocks=11)).check(["one"])
    said = "blocks=11: the tower has 5 blocks"
    assert str(caught.value) == said
    assert "towers" not in vars(backbone)


HALF = "backbone.precision=fp16 computes with numbers from 6.1e-05 to 65504"


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (Gem(temperature=1e-6), "gem.temperature=1e-06"),
        (Gem(temperature=7e4), "gem.temperature=70000"),
        (Gem(temperature_scale=1e6), "gem.temperature_scale=1e+06"),
        (Gem(temperature_scale=1e-7), "gem.temperature_scale=1e-07"),
        (Naclip(sigma=1e-6), "method.sigma=1e-06"),
        (ResClip(layers=(1,), factor=7e4), "method.factor=70000"),
    ],
    ids=str,
)
def test_numbers_that_half_precision_does_not_hold(method, said, tmp_path):
    """Refused before weights are looked for; other precisions hold them."""
    named = {"model": str(write_config(tmp_path / "none")), "weights": "no such tag"}
    with pytest.raises(ValueError) as caught:
        Patches(backbone=OpenClip(**named, precision="fp16"), method=method).check([])
    assert str(caught.value) == f"{said}: {HALF}"
    for precision in ("fp32", "bf16"):
        Patches(backbone=OpenClip(**named, precision=precision), method=method).check([])
    half = OpenClip(**named, precision="fp16")
    held = (
        Gem(temperature=0.01, temperature_scale=6e4),
        Naclip(sigma=6.1e-5),
        Naclip(sigma=65504.0),
    )
    for one in held:
        Patches(backbone=half, method=one).check([])


def test_a_model_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match=r"^backbone\.model=ViT-B16: neither a folder nor"):
        Patches(backbone=OpenClip(model="ViT-B16"), method=Clip()).check([])


def test_text_is_the_mean_over_the_templates(patches, small):
    vocabulary = Vocabulary(names=("cat",), words=("cat;kitten",))
    templates = ("a photo of a {}", "a small {}")
    found = patches(method=Gem()).embed(vocabulary, Prompts(templates=templates))
    cat, kitten = (small.embed([t.format(w) for t in templates]) for w in ("cat", "kitten"))
    expected = torch.nn.functional.normalize(torch.stack([cat.mean(0), kitten.mean(0)]), dim=-1)
    torch.testing.assert_close(found, expected)


def test_what_the_text_depends_on(folder, tmp_path):
    """Weights by their content, wherever they lie; not the method, not the seed."""
    whole = Patches(backbone=OpenClip(model=str(folder), weights="embedded"), method=Gem())
    path = folder / "model.safetensors"
    (tmp_path / "copy.safetensors").write_bytes(path.read_bytes())

    def key(method=None, **changes):
        options = {"model": str(folder), "weights": "embedded", "device": "cpu"}
        return Patches(backbone=OpenClip(**options | changes), method=method or Clip()).text_key

    assert key() == key(Gem()) == key(seed=4)
    mine = {"weights": str(tmp_path / "copy.safetensors"), "quick_gelu": False}
    assert key(**mine) == key(**mine | {"weights": str(path)})
    assert len({key(), key(precision="bf16"), key(quick_gelu=False)}) == 3
    assert whole.backbone.provenance.sha256 in key()
    assert key(weights=None) is None


def test_variants_are_told_apart(patches):
    found = [
        patches(method=method).variant for method in (Gem(), Gem(iters=3, projections=("q", "k")))
    ]
    assert found == ["", "iters=3 projections=qk"]
    named = patches(method=ClipSurgery(blocks=2))
    assert (named.title, named.published, named.variant) == ("CLIP Surgery", "2023-04", "blocks=2")


def test_equal_parts_are_equal_segmenters():
    one, same, other = (
        Patches(backbone=OpenClip(model="tiny"), method=Gem(iters=iters)) for iters in (1, 1, 2)
    )
    assert one == same != other
    assert len({one, same, other}) == 2


def test_unloading_frees_the_model_and_it_comes_back(folder, images, queries):
    segmenter = Patches(
        backbone=OpenClip(model=str(folder), weights="embedded", device="cpu"), method=Clip()
    )
    before = scores(segmenter, images, queries)
    segmenter.unload()
    assert "towers" not in vars(segmenter.backbone)
    assert torch.equal(scores(segmenter, images, queries), before)
