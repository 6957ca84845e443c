"""GroupViT's rule, against a naive one; groups against the library's own."""

from dataclasses import replace

import naive_groups
import numpy as np
import pytest
import small
import torch
import torch.nn.functional as F
import transformers
from near_ties import same_where_clear
from transformers.models.groupvit.modeling_groupvit import get_grouping_from_attentions

from evaluation.measure.decision import label_map
from evaluation.setting import EvalProtocol
from gem import Prompts, ShortSide, SlidingWindow, Vocabulary
from gem.segmenter import Segmenter
from gem.systems import GroupVit
from gem.systems.groupvit import GroupVitModel
from gem.windows import Padded

PROMPTS = Prompts(templates=("a photo of a {}.",))
NAMES = ("cat", "dog", "house", "tree", "car", "bird", "boat", "sky")
CLEAR = 1e-5  # a share of a pixel by which one group has more of it than another


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small.groupvit_folder(tmp_path_factory.mktemp("groupvit"))


@pytest.fixture(scope="module")
def segmenter(folder):
    return GroupVit(model=str(folder), place="cpu", background=0.55)


@pytest.fixture(scope="module")
def library(folder):
    """The library's own model of the same files."""
    return transformers.GroupViTModel.from_pretrained(folder).eval()


@pytest.fixture
def images():
    """Of coarse squares, so that windows differ."""
    coarse = 2 * torch.randn(4, 3, 5, 9, generator=torch.Generator().manual_seed(5))
    return coarse.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)[..., :70]


def asked(segmenter, *words):
    words = words or NAMES
    vocabulary = Vocabulary(names=tuple(f"c{n}" for n in range(len(words))), words=words)
    return vocabulary.with_text(segmenter.embed(vocabulary, PROMPTS))


def encoded(segmenter, images, windows=None):
    (found,) = segmenter.encode_together([segmenter], images, windows=windows)
    return found


@pytest.mark.parametrize(
    ("words", "background"),
    [
        (NAMES, 0.55),
        (NAMES[:3], 0.55),
        (("cat;kitten", "dog", "house", "tree;bush;wood", "car", "bird", "boat"), 0.95),
    ],
    ids=["8 classes", "3 classes", "several words"],
)
def test_scores_are_those_of_the_naive_rule(segmenter, library, images, words, background):
    rule = replace(segmenter, background=background)
    queries = asked(segmenter, *words)
    (image,) = encoded(rule, images[:1], SlidingWindow(size=32, stride=16))
    expected, empty, clear = naive_groups.scores(
        library,
        images[0],
        queries.text,
        queries.owners,
        window=32,
        stride=16,
        background=background,
    )
    scores, nothing = image.scores(queries), image.nothing(queries)
    sure = clear > CLEAR
    assert sure.mean() > 0.99
    assert len(np.unique(scores.argmax(dim=0))) > 1
    np.testing.assert_allclose(scores.numpy()[:, sure], expected[:, sure], atol=2e-5)
    np.testing.assert_array_equal(nothing.numpy()[sure], empty[sure].astype("float32"))
    assert 0 < empty.mean() < 1
    assert (scores > 0).sum(dim=0).max() < len(queries.words) or queries.classes <= 5


def test_labels_with_the_background_first(segmenter, library, images):
    """The best of the mean maps, at another size; where background and class tie, background."""
    queries = asked(segmenter)
    rule = replace(segmenter, background=0.55)
    (image,) = encoded(rule, images[:1], SlidingWindow(size=32, stride=16))
    total, empty, _ = naive_groups.scores(
        library, images[0], queries.text, queries.owners, window=32, stride=16, background=0.55
    )
    maps = torch.from_numpy(np.concatenate([empty[None], total]))
    fine = F.interpolate(maps[None], size=(90, 80), mode="bilinear")[0].numpy()
    protocol = EvalProtocol(name="p", resize=ShortSide(), background=None)
    found = label_map(image, queries, protocol, (90, 80), background=True)
    two = np.sort(fine, axis=0)[-2:]
    same_where_clear(found, fine.argmax(axis=0), margins=two[1] - two[0], clear=1e-4)
    assert len(found.unique()) > 2


def test_without_a_background_the_protocol_decides(segmenter, images):
    bare = replace(segmenter, background=None)
    (image,) = encoded(bare, images[:1])
    queries = asked(segmenter)
    assert (bare.decides, image.nothing(queries), image.labels) == (False, None, None)
    assert segmenter.decides
    protocol = EvalProtocol(name="p", resize=ShortSide(), background=None)
    found = label_map(image, queries, protocol, (40, 70), background=False)
    assert torch.equal(found, image.scores(queries).argmax(dim=0))


def test_one_class_alone(segmenter, images):
    """Nothing competes: the cosine, where the rule says 1; with a background the rule."""
    queries = asked(segmenter, "cat;kitten")
    (image,) = encoded(replace(segmenter, background=None), images[:1])
    found = image.scores(queries).unique()
    assert 1 < len(found) <= 8  # of two words and four groups
    cosines = (image.groups[0] @ queries.text.T).flatten()
    assert (found[:, None] - cosines).abs().amin(dim=1).max() < 1e-6
    (image,) = encoded(segmenter, images[:1])
    alone = asked(segmenter, "cat")
    assert torch.equal(image.scores(alone), torch.ones(1, 40, 70))
    assert not image.nothing(alone).any()


def test_shares_are_the_librarys(segmenter, library, images):
    """`get_grouping_from_attentions`, for a window of the trained size."""
    window = images[:2, :, :32, :32]
    with torch.no_grad():
        found = library.vision_model(window, output_attentions=True, return_dict=True)
        expected = get_grouping_from_attentions(found.attentions, (32, 32))
        whole = library.get_image_features(window).pooler_output
    for number, image in enumerate(encoded(segmenter, window)):
        shares = F.interpolate(image.shares, size=(32, 32), mode="bilinear")[0]
        torch.testing.assert_close(shares, expected[number], atol=1e-6, rtol=0)
        torch.testing.assert_close(image.shares.sum(dim=1), torch.ones(1, 4, 4))
        expected_whole = F.normalize(whole[number], dim=0)
        torch.testing.assert_close(image.whole[0], expected_whole, atol=1e-5, rtol=0)


def test_positions_of_other_grids(segmenter, library, images):
    """Bicubic; what fills no patch is left out."""
    (image,) = encoded(segmenter, images[:1, :, :, :69], Padded(None, 1))
    vision = library.vision_model
    with torch.no_grad():
        patches = vision.embeddings.patch_embeddings.projection(images[:1, :, :, :69])
        tokens = vision.embeddings.layernorm(patches.flatten(2).transpose(1, 2))
        plane = vision.embeddings.position_embeddings.reshape(1, 4, 4, -1).permute(0, 3, 1, 2)
        plane = F.interpolate(plane, size=(5, 8), mode="bicubic").flatten(2).transpose(1, 2)
        stages = vision.encoder(tokens + plane, output_attentions=True, return_dict=True)
        first, second = (one[0] for one in stages.attentions)
    expected = (second @ first).reshape(-1, 5, 8)
    torch.testing.assert_close(image.shares[0], expected, atol=1e-6, rtol=0)
    assert image.scores(asked(segmenter)).shape == (8, 40, 69)


def test_padding_is_cut_off(segmenter, images):
    """A window of 40 x 68 is padded to 40 x 72, and its pixels are those without the padding."""
    queries = asked(segmenter)
    (image,) = encoded(segmenter, images[:1, :, :, :68], Padded(None, None))
    padded = F.pad(images[:1, :, :, :68], (2, 2, 0, 0))
    (whole,) = encoded(segmenter, padded)
    assert torch.equal(image.scores(queries), whole.scores(queries)[:, :, 2:-2])


def test_the_scale_is_capped(segmenter, images, monkeypatch):
    """At 100, as in training."""
    own = segmenter.network.module._parameters
    torch.testing.assert_close(encoded(segmenter, images[:1])[0].scale, own["logit_scale"].exp())
    monkeypatch.setitem(own, "logit_scale", torch.nn.Parameter(torch.tensor(6.0)))
    assert encoded(segmenter, images[:1])[0].scale == 100


def test_batches_change_nothing(segmenter, images):
    queries = asked(segmenter)
    windows = SlidingWindow(size=32, stride=16)
    together = encoded(segmenter, images, windows)
    for one, image in zip(images, together, strict=True):
        (alone,) = encoded(segmenter, one[None], windows)
        torch.testing.assert_close(alone.groups, image.groups, atol=1e-5, rtol=0)
        torch.testing.assert_close(alone.shares, image.shares, atol=1e-5, rtol=0)
        found, expected = alone.scores(queries), image.scores(queries)
        assert ((found - expected).abs() > 1e-4).float().mean() < 0.01
        assert torch.equal(image.pixels, one)


def test_text_is_the_librarys(segmenter, library):
    """Padding after the end token does not matter; the mean over templates is normalised."""
    vocabulary = Vocabulary(names=("a", "b"), words=("cat", "traffic light"))
    prompts = Prompts(templates=("a photo of a {}.", "{}"))
    found = segmenter.embed(vocabulary, prompts)
    tokenizer = byte_pairs()
    for word, row in zip(vocabulary.words, found, strict=True):
        each = []
        for form in prompts.templates:
            ids = tokenizer([form.format(word)], return_tensors="pt")["input_ids"]
            with torch.no_grad():
                each.append(F.normalize(library.get_text_features(ids).pooler_output, dim=-1))
        mean = F.normalize(torch.cat(each).mean(dim=0), dim=0)
        torch.testing.assert_close(row, mean, atol=1e-5, rtol=0)


def byte_pairs():
    """The library's tokenizer, with the vocabulary of CLIP."""
    from open_clip import SimpleTokenizer

    own = SimpleTokenizer()
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    words = {names.get(word, word): place for word, place in own.encoder.items()}
    return transformers.CLIPTokenizer(vocab=words, merges=list(own.bpe_ranks))


def test_ids_are_the_librarys():
    from gem.systems.clip_words import tokens

    prompts = ["a photo of a cat.", "A Photo of a T-shirt, 2 dogs'", "naïve café", "street sign"]
    found = tokens(prompts, 77)
    expected = byte_pairs()(prompts)["input_ids"]
    assert found.shape == (4, max(map(len, expected)))
    for row, ids in zip(found.tolist(), expected, strict=True):
        assert row[: len(ids)] == ids
        assert not any(row[len(ids) :])


def test_what_follows_a_prompt_does_not_matter(segmenter):
    """Short and long prompts are embedded together as alone."""
    words = ("cat", "a very old grey house with a garden")
    together = asked(segmenter, *words).text
    alone = torch.cat([asked(segmenter, word).text for word in words])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_a_prompt_that_is_too_long(segmenter):
    vocabulary = Vocabulary(names=("a",), words=("very " * 20 + "long word",))
    with pytest.raises(ValueError, match="has 27 tokens, but the text tower reads 18"):
        segmenter.embed(vocabulary, PROMPTS)


def test_rules_share_a_pass(segmenter, images, monkeypatch):
    """Each gets what it would get alone."""
    rules = [replace(segmenter, background=one) for one in (None, 0.1, 0.9)]
    shared = [one.sharing(held) for held in [{}] for one in rules]
    assert len({id(one.network) for one in shared}) == 1
    assert shared == rules
    assert len({one.pass_key for one in rules}) == 1
    passed, module = [], shared[0].network.module
    forward = type(module.vision_model.encoder).forward
    monkeypatch.setattr(
        type(module.vision_model.encoder),
        "forward",
        lambda self, *given, **named: passed.append(1) or forward(self, *given, **named),
    )
    found = shared[0].encode_together(shared, images[:1], windows=None)
    assert len(passed) == 1
    queries = asked(segmenter)
    for rule, (image,) in zip(rules, found, strict=True):
        (alone,) = encoded(rule, images[:1])
        assert torch.equal(alone.scores(queries), image.scores(queries))
        pair = [one.nothing(queries) for one in (alone, image)]
        assert pair == [None, None] if rule.background is None else torch.equal(*pair)


def test_another_model_shares_no_pass(segmenter, images):
    other = replace(segmenter, seed=1)
    assert other.pass_key != segmenter.pass_key
    with pytest.raises(ValueError, match="need the same model"):
        segmenter.encode_together([segmenter, other], images, windows=None)


def test_unload(folder):
    one = GroupVit(model=str(folder), place="cpu")
    _ = one.network.module
    one.unload(keep=GroupVit(model=str(folder), place="cpu", background=0.5).models)
    assert "module" in vars(one.network)
    one.unload()
    assert "module" not in vars(one.network)


def test_what_it_says_of_itself(segmenter, folder):
    found: Segmenter = segmenter
    assert (found.title, found.published) == ("GroupViT", "2022-02")
    variants = [replace(segmenter, background=one).variant for one in (None, 0.95, 0.35, 0.5)]
    assert variants == ["", "", "", "background=0.5"]
    model, key = segmenter.provenance, segmenter.text_key
    assert model.model == model.source == folder.name
    assert key[2:] == ("fp32", "cpu", model.sha256, model.config)
    random = replace(segmenter, weights=None, seed=7)
    assert random.provenance.source == "random, seed 7"
    assert (random.provenance.random, random.text_key) == (True, None)
    assert segmenter.models == (GroupVitModel(model=str(folder), device="cpu"),)


@pytest.mark.parametrize("windows", [None, SlidingWindow(size=32, stride=16)])
def test_memory_is_estimated(segmenter, images, windows):
    (image,) = encoded(segmenter, images[:1], windows)
    held = sum(4 * one.numel() for one in (image.groups, image.shares))
    assert segmenter.features_bytes((40, 70), windows) == pytest.approx(held)


def test_what_is_wrong_with_a_model(folder, tmp_path):
    for changes, said in (
        ({"num_group_tokens": [0, 0, 0]}, f"segmenter.model={tmp_path}: no stage has num_group"),
    ):
        config = transformers.GroupViTConfig.from_pretrained(folder)
        for name, value in changes.items():
            setattr(config.vision_config, name, value)
        config.save_pretrained(tmp_path)
        with pytest.raises(ValueError, match=said):
            GroupVit(model=str(tmp_path), weights=None).check(())
    config = transformers.GroupViTConfig.from_pretrained(folder)
    config.text_config.vocab_size = 1000
    config.save_pretrained(tmp_path)
    with pytest.raises(ValueError) as caught:
        GroupVit(model=str(tmp_path), weights=None).check(())
    assert str(caught.value) == (
        f"segmenter.model={tmp_path}: its text tower reads 1000 tokens, expected the 49408 of CLIP"
    )


def test_a_device_that_is_not_there(folder):
    with pytest.raises(ValueError, match=r"^segmenter\.place=cuda:77 is not available: "):
        _ = GroupVit(model=str(folder), place="cuda:77").device


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_other_precisions(segmenter, images, precision):
    """Scores are computed in float32, from what the model computed in its own."""
    coarse = replace(segmenter, precision=precision)
    (image,), (fine,) = (encoded(one, images[:1]) for one in (coarse, segmenter))
    queries = asked(segmenter)
    assert image.scores(queries).dtype == torch.float32
    torch.testing.assert_close(image.groups, fine.groups, atol=0.1, rtol=0)
