"""The files of a tokenizer of BERT's kind."""

from gem.hub.stand_in_words import letters, stand_in_tokenizer


def save_words(folder, size=1200):
    """As newer folders of the hub have them."""
    stand_in_tokenizer(size).save_pretrained(folder)


def save_list(folder, size=1200):
    """As older ones do: a list of words alone."""
    (folder / "vocab.txt").write_text("\n".join(letters(size)) + "\n", encoding="utf-8")
