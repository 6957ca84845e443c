"""Tokenizers of SigLIP and CLIPA: files as the hub has them, a stand-in for random weights."""

import shutil
import sys

import pytest
import torch
import transformers
from huggingface_hub import constants
from small_timm import small_of, write_small_timm, write_timm

from gem.backbones import OpenClip
from gem.backbones.open_clip_model import statistics_of
from gem.backbones.tokenizer import new_tokenizer, room_of
from gem.hub.stand_in_words import stand_in_tokenizer

LENGTH = 16
TEXT = {
    "context_length": LENGTH, "vocab_size": 2000, "hf_tokenizer_name": "timm/no-such-SigLIP",
    "tokenizer_kwargs": {"clean": "canonicalize"}, "width": 32, "heads": 2, "layers": 2,
    "no_causal_mask": True, "proj_bias": True, "pool_type": "last",
}  # fmt: skip
CLIPA = {"hf_tokenizer_name": "bert-base-uncased", "tokenizer_kwargs": {"strip_sep_token": True}}
WORDS = ["a", "photo", "of", "cat", "dog"]


def pieces():
    """A tokenizer of T5's kind, as SigLIP has it: words, one token for the end, which also pads."""
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary += [(f"\u2581{word}", -1.0) for word in WORDS]
    marks = {"pad_token": "</s>"}
    return transformers.T5Tokenizer(vocab=vocabulary, extra_ids=0, **marks)


@pytest.fixture(scope="module")
def siglip(tmp_path_factory):
    """A small SigLIP whose folder has the files of a tokenizer."""
    folder = write_timm(tmp_path_factory.mktemp("siglip") / "model", "small_siglip", TEXT)
    pieces().save_pretrained(folder)
    return write_small_timm(folder, "small_siglip", TEXT)


def test_the_files_of_the_folder_are_read(siglip):
    tokenizer = new_tokenizer(str(siglip))
    assert tokenizer.encode("a photo of a Cat!") == [3, 4, 5, 3, 6]  # canonical: no capitals, no !
    assert tokenizer(["a cat"]).tolist() == [[3, 6, *[1] * 14]]
    assert room_of(tokenizer) == LENGTH - 1


def test_text_is_open_clips_own(siglip):
    import open_clip

    model, prompts = small_of(siglip), ["a photo of a cat", "a dog"]
    own = open_clip.get_tokenizer(f"local-dir:{siglip}")(prompts)
    with torch.inference_mode():
        expected = model.towers.model.encode_text(own, normalize=True)
    torch.testing.assert_close(model.embed(prompts), expected)


def test_a_prompt_that_is_too_long(siglip):
    """One token marks the end: 15 words fit."""
    model = small_of(siglip)
    model.embed(["cat " * 15])
    with pytest.raises(ValueError) as caught:
        model.embed(["cat " * 16])
    said = f"the prompt {'cat ' * 16!r} has 16 tokens, but the text tower reads 15"
    assert str(caught.value) == said


def test_random_weights_have_a_stand_in(tmp_path):
    folder = write_timm(tmp_path / "model", "small_siglip", TEXT)
    model = OpenClip(model=str(folder), device="cpu")
    assert model.provenance.random
    one, other = model.embed(["a cat", "a dog"])
    assert not torch.allclose(one, other)
    assert room_of(model.towers.tokenizer) == LENGTH - 2
    with pytest.raises(ValueError, match=r"has 15 tokens, but the text tower reads 14$"):
        model.embed(["fifteen letters"[:15] + "x"])


def test_clipa_loses_the_token_of_the_end(tmp_path):
    """Its tokenizer is BERT's, of which the end becomes padding."""
    folder = write_timm(tmp_path / "model", "small_token", TEXT | CLIPA)
    stand_in_tokenizer(1200).save_pretrained(folder)
    tokenizer = new_tokenizer(str(folder))
    assert tokenizer(["a cat"]).tolist() == [[101, 1037, 1039, 1067 + 10, 1067 + 29, *[0] * 11]]
    assert room_of(tokenizer) == LENGTH - 2


@pytest.mark.parametrize("text", [TEXT, TEXT | CLIPA])
def test_without_a_network_it_is_said_at_once(text, siglip, tmp_path):
    """Weights that mean something want their own words."""
    folder = write_timm(tmp_path / "model", "small_siglip", text)
    shutil.copy(siglip / "model.safetensors", folder)
    with pytest.raises(ConnectionError) as caught:
        _ = small_of(folder).towers
    assert str(caught.value) == (
        f"the tokenizer {text['hf_tokenizer_name']} is not on this machine and cannot be "
        f"downloaded from {constants.ENDPOINT} (HF_HUB_OFFLINE is set): give "
        "backbone.model=FOLDER, which has the model's open_clip_config.json and the files of "
        "its tokenizer"
    )


def test_files_that_are_no_tokenizer(siglip, tmp_path):
    folder = shutil.copytree(siglip, tmp_path / "model")
    (folder / "tokenizer.json").write_text("[1")
    with pytest.raises(ValueError, match=f"^no tokenizer can be read of {folder}: "):
        _ = small_of(folder).towers


def test_without_the_package(siglip, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError) as caught:
        _ = small_of(siglip).towers
    assert str(caught.value) == (
        "backbone: the package transformers is not installed; pip install 'gem-bench[systems]' "
        "gets it"
    )


def test_other_files_of_words_are_another_model(siglip, tmp_path):
    folder = shutil.copytree(siglip, tmp_path / "model")
    before = small_of(folder).provenance.config
    (folder / "tokenizer_config.json").write_text("{}")
    assert small_of(folder).provenance.config != before


@pytest.mark.parametrize(
    ("model", "tag", "mean"),
    [
        ("ViT-B-16-SigLIP", "webli", (0.5, 0.5, 0.5)),
        ("ViT-B-16-SigLIP", None, (0.5, 0.5, 0.5)),
        ("ViT-SO400M-14-SigLIP2", "/a/file.safetensors", (0.5, 0.5, 0.5)),
        ("ViT-L-14-CLIPA", None, (0.485, 0.456, 0.406)),
        ("ViT-B-16", None, (0.48145466, 0.4578275, 0.40821073)),
        ("ViT-L-14", "laion2b_s32b_b82k", (0.5, 0.5, 0.5)),
        ("ViT-L-14", None, None),  # its tags disagree: open_clip's own default
    ],
)
def test_the_channel_statistics_of_a_file_are_those_of_the_tags(model, tag, mean):
    assert statistics_of(model, tag).get("mean") == mean
