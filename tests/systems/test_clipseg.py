"""CLIPSeg's maps, against the library's own forward."""

from dataclasses import replace

import pytest
import small
import torch
import torch.nn.functional as F
import transformers

from evaluation.measure.decision import label_map
from evaluation.setting import EvalProtocol
from gem import Prompts, SlidingWindow, Square, Vocabulary
from gem.systems import ClipSeg
from gem.systems.clip_words import tokens
from gem.windows import Padded

WORD = Prompts(templates=("{}",))
NAMES = tuple(f"{size} {kind}" for size in ("small", "large") for kind in (
    "cat", "dog", "house", "tree", "car", "bird", "boat", "cloud", "sun", "road"
))  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small.clipseg_folder(tmp_path_factory.mktemp("clipseg"))


@pytest.fixture(scope="module")
def segmenter(folder):
    return ClipSeg(model=str(folder), place="cpu")


@pytest.fixture(scope="module")
def library(folder):
    """The library's own model of the same files."""
    return transformers.CLIPSegForImageSegmentation.from_pretrained(folder).eval()


@pytest.fixture
def images():
    return torch.randn(3, 3, 80, 128, generator=torch.Generator().manual_seed(5))


def asked(segmenter, words=NAMES, *, background=False):
    vocabulary = Vocabulary(names=words, words=words, background=background)
    return vocabulary.with_text(segmenter.embed(vocabulary, WORD))


def encoded(segmenter, images, windows=None):
    (found,) = segmenter.encode_together([segmenter], images, windows=windows)
    return found


def naive(library, square, words=NAMES):
    """Sigmoids of the library's logits, a pass of image and prompt for each word."""
    with torch.no_grad():
        each = [
            library(input_ids=tokens([word], 20), pixel_values=square[None]).logits
            for word in words
        ]
    return torch.stack([one.reshape(square.shape[1:]).sigmoid() for one in each])


@pytest.mark.parametrize("side", [48, 80])
def test_maps_are_the_librarys(segmenter, library, images, side):
    """Of the trained size, and of another; more words than one chunk has."""
    square = images[:, :, :side, :side]
    queries = asked(segmenter)
    for one, image in zip(square, encoded(segmenter, square), strict=True):
        found = image.scores(queries)
        assert found.shape == (20, side, side)
        torch.testing.assert_close(found, naive(library, one), atol=5e-5, rtol=0)
    assert len(found.argmax(dim=0).unique()) > 2


@pytest.mark.parametrize("changes", [
    {"use_complex_transposed_convolution": False},
    {"conditional_layer": 1},
    {"extract_layers": [1, 4]},
])  # fmt: skip
def test_other_decoders(images, tmp_path, changes):
    folder = small.clipseg_folder(tmp_path, **changes)
    library = transformers.CLIPSegForImageSegmentation.from_pretrained(folder).eval()
    segmenter = ClipSeg(model=str(folder), place="cpu")
    square = images[:1, :, :48, :48]
    (image,) = encoded(segmenter, square)
    found = image.scores(asked(segmenter, NAMES[:3]))
    torch.testing.assert_close(found, naive(library, square[0], NAMES[:3]), atol=5e-5, rtol=0)


def test_windows_count_alike(segmenter, library, images):
    queries = asked(segmenter, NAMES[:4])
    (image,) = encoded(segmenter, images[:1], SlidingWindow(size=80, stride=48))
    total, count = torch.zeros(4, 80, 128), torch.zeros(80, 128)
    for left in (0, 48):
        part = images[0, :, :, left : left + 80]
        total[:, :, left : left + 80] += naive(library, part, NAMES[:4])
        count[:, left : left + 80] += 1
    torch.testing.assert_close(image.scores(queries), total / count, atol=5e-5, rtol=0)


def test_what_is_no_square(segmenter, images):
    """A map has the size of its input, which the library's decoder cannot give."""
    queries = asked(segmenter, NAMES[:2])
    (image,) = encoded(segmenter, images[:1])
    assert image.scores(queries).shape == (2, 80, 128)
    (image,) = encoded(segmenter, images[:1, :, :, :121], Padded(None, 1))
    cut = encoded(segmenter, images[:1, :, :, :112])[0].scores(queries)
    expected = F.interpolate(cut[None], size=(80, 121), mode="bilinear")[0]
    torch.testing.assert_close(image.scores(queries), expected, atol=5e-5, rtol=0)


def test_the_text_is_as_the_model_uses_it(segmenter, library):
    """Not of unit length; several templates count as their mean."""
    vocabulary = Vocabulary(names=("a", "b"), words=("cat", "dog"))
    found = segmenter.embed(vocabulary, Prompts(templates=("a {}", "the {}")))
    for word, row in zip(vocabulary.words, found, strict=True):
        with torch.no_grad():
            ids = tokens([f"a {word}", f"the {word}"], 20)
            expected = library.clip.get_text_features(ids).pooler_output.mean(dim=0)
        torch.testing.assert_close(row, expected, atol=5e-5, rtol=0)
    assert (found.norm(dim=1) - 1).abs().min() > 0.1
    assert segmenter.text_key is None


def test_a_threshold_decides(segmenter, images):
    (image,) = encoded(replace(segmenter, threshold=0.5), images[:1])
    queries = asked(segmenter, NAMES[:4])
    scores = image.scores(queries)
    protocol = EvalProtocol(name="p", resize=Square(), background=None)
    found = label_map(image, queries, protocol, (80, 128), background=True)
    best = scores.max(dim=0)
    assert torch.equal(found, torch.where(best.values > 0.5, best.indices + 1, 0))
    assert 0 < (found == 0).float().mean() < 1
    assert replace(segmenter, threshold=0.5).decides


def test_without_a_threshold_the_protocol_decides(segmenter, images):
    (image,) = encoded(segmenter, images[:1])
    queries = asked(segmenter, NAMES[:4])
    assert (segmenter.decides, image.nothing(queries), image.labels) == (False, None, None)
    protocol = EvalProtocol(name="p", resize=Square(), background=None)
    found = label_map(image, queries, protocol, (80, 128), background=False)
    assert torch.equal(found, image.scores(queries).argmax(dim=0))


def test_the_background_counts_three_times(segmenter, images):
    """As its authors evaluate on VOC: the word "background", no threshold."""
    rule = replace(segmenter, background_factor=3.0)
    queries = asked(segmenter, ("background", *NAMES[:3]), background=True)
    (plain,), (image,) = (encoded(one, images[:1]) for one in (segmenter, rule))
    times = torch.tensor([3.0, 1, 1, 1])[:, None, None]
    assert torch.equal(image.scores(queries), plain.scores(queries) * times)
    alone = asked(segmenter, NAMES[:3])
    assert torch.equal(image.scores(alone), plain.scores(alone))
    assert rule.variant == "background_factor=3.0"


def test_rules_share_a_pass(segmenter, images):
    rules = [segmenter, replace(segmenter, threshold=0.3)]
    assert len({one.pass_key for one in rules}) == 1
    first, second = (one for (one,) in segmenter.encode_together(rules, images[:1], windows=None))
    assert first.tokens is second.tokens
    assert (first.threshold, second.threshold) == (None, 0.3)


def test_memory_is_estimated(segmenter, images):
    for windows in (None, SlidingWindow(size=80, stride=48)):
        (image,) = encoded(segmenter, images[:1], windows)
        assert segmenter.features_bytes((80, 128), windows) == 4 * image.tokens.numel()


def test_what_it_says_of_itself(segmenter):
    assert (segmenter.title, segmenter.published) == ("CLIPSeg", "2021-12")
    assert [replace(segmenter, threshold=one).variant for one in (None, 0.5, 0.3)] == [
        "", "", "threshold=0.3"
    ]  # fmt: skip
