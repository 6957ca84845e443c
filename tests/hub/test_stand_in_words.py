"""The vocabulary that stands in for BERT's where weights are random."""

import pytest

from gem.hub.stand_in_words import LEAST, letters, stand_in_tokenizer


def test_the_places_are_those_of_bert():
    words = letters()
    assert len(words) == len(set(words)) == 30522
    places = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
    places |= {".": 1012, "?": 1029, "0": 1014, "a": 1037, "z": 1062, "~": 1066}
    assert all(words[place] == word for word, place in places.items())
    assert letters(LEAST)[-1] == "##z"


def test_too_few_words():
    with pytest.raises(ValueError) as caught:
        letters(1000)
    assert str(caught.value) == f"a stand-in vocabulary has {LEAST} words or more, not 1000"


def test_every_letter_is_a_token(tmp_path):
    tokenizer = stand_in_tokenizer(1200)
    ids = tokenizer("A cat. Dog's 2?")["input_ids"]
    words = ["[CLS]", "a", "c", "##a", "##t", ".", "d", "##o", "##g", "'", "s", "2", "?", "[SEP]"]
    assert tokenizer.convert_ids_to_tokens(ids) == words
    assert (len(tokenizer), tokenizer.pad_token_id) == (1200, 0)
    tokenizer.save_pretrained(tmp_path)
    again = type(tokenizer).from_pretrained(tmp_path)
    assert again("A cat. Dog's 2?")["input_ids"] == ids
