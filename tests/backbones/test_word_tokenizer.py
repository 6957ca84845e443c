"""Whole words as tokens."""

import re
from pathlib import Path

import pytest
import torch
from open_clip import OPENAI_IMAGENET_TEMPLATES

import gem.backbones
from evaluation.data.toy.scenes import vocabulary_words
from gem.backbones.word_tokenizer import WordTokenizer

WORDS = ["a", "photo", "of", "sun", "tree"]
FOLDER = Path(gem.backbones.__file__).parent / "tiny"


def test_words_are_lower_cased_and_split_on_anything_else():
    tokenizer = WordTokenizer(WORDS, 8)
    assert tokenizer.encode("A photo, of a-Sun.") == [1, 2, 3, 1, 4]
    assert tokenizer.encode("") == []


def test_rows_start_end_and_are_padded():
    rows = WordTokenizer(WORDS, 6)(["a sun", "tree", ""])
    assert rows.dtype == torch.long
    assert rows.tolist() == [[6, 1, 4, 7, 0, 0], [6, 5, 7, 0, 0, 0], [6, 7, 0, 0, 0, 0]]


def test_the_end_has_the_highest_id_of_the_vocabulary():
    tokenizer = WordTokenizer(WORDS, 6)
    rows = tokenizer(["a photo of", "tree"])
    assert rows.argmax(-1).tolist() == [4, 2]
    assert rows.max() == tokenizer.vocab_size - 1


def test_an_unknown_word_is_named():
    with pytest.raises(ValueError, match=r"knows only 5 words and 'moon' is not one of them"):
        WordTokenizer(WORDS, 8)(["a photo of a moon"])


def test_a_text_that_is_too_long_is_named_with_both_lengths():
    with pytest.raises(ValueError, match=r"'a sun of a tree' is 7 tokens .* at most 6"):
        WordTokenizer(WORDS, 6)(["sun", "a sun of a tree"])


def test_a_vocabulary_with_a_word_twice_is_refused():
    with pytest.raises(ValueError, match="holds 3 words but only 2 differ"):
        WordTokenizer(["a", "sun", "a"], 6)


def test_the_committed_vocabulary_is_that_of_the_scenes():
    assert (FOLDER / "vocabulary.txt").read_text("utf-8").split() == vocabulary_words()


def test_the_vocabulary_holds_all_words_of_the_clip_templates():
    asked = " ".join(t("sun") for t in OPENAI_IMAGENET_TEMPLATES)
    assert set(re.findall(r"[a-z]+", asked.lower())) <= set(vocabulary_words())
