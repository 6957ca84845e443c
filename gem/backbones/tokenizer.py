"""The tokenizer of an open_clip model: byte pairs, whole words, or one of the hub."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import open_clip
from torch import Tensor

from gem.backbones.model_config import CONFIG, WORDS, config_of, folder_of
from gem.backbones.open_clip_model import built_of
from gem.backbones.word_tokenizer import WordTokenizer


class Tokenizer(Protocol):
    """open_clip's byte-pair tokenizer, or our `WordTokenizer` or `HubTokenizer`."""

    context_length: int

    def encode(self, text: str) -> list[int]:
        """Token ids without start and end."""

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Token ids with start, end and padding."""


def new_tokenizer(name: str, *, random: bool = False) -> Tokenizer:
    """The tokenizer of the model: whole words if its folder has a ``vocabulary.txt``.

    ``random`` says that the weights are, so that a tokenizer may stand in for one that is not here.
    """
    folder, text = folder_of(name), config_of(name)["text_cfg"]
    if folder and (folder / WORDS).is_file():
        return _words_of(folder, text)
    if text.get("hf_tokenizer_name"):
        from gem.backbones.hub_tokenizer import hub_tokenizer

        return hub_tokenizer(name, text, random=random)
    tokenizer: Tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}" if folder else name)
    return tokenizer


def _words_of(folder: Path, text: Mapping[str, Any]) -> WordTokenizer:
    """The words of a model's folder. Raises ValueError if its model has another number of them."""
    with built_of(folder / CONFIG):
        length, size = int(text["context_length"]), int(text["vocab_size"])
    try:
        found = WordTokenizer((folder / WORDS).read_text("utf-8").split(), length)
    except ValueError as error:
        raise ValueError(f"{folder / WORDS} is no list of words: {error}") from error
    if found.vocab_size != size:
        raise ValueError(
            f"{folder / WORDS} has {found.vocab_size - 3} words, and the vocab_size={size} of "
            f"{CONFIG} expects {size - 3}"
        )
    return found


def room_of(tokenizer: Tokenizer) -> int:
    """How many tokens a prompt may have beside those that mark its start and end."""
    return tokenizer.context_length - int(getattr(tokenizer, "special_tokens", 2))
