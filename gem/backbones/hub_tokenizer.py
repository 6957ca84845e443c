"""Tokenizers of the package `transformers` for text towers of open_clip: SigLIP, CLIPA."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from open_clip.tokenizer import HFTokenizer
from torch import Tensor

from gem.backbones.model_config import TOKENIZER, folder_of
from gem.hub.files import find_words
from gem.hub.models import library, quiet
from gem.hub.stand_in_words import BERT_SIZE, stand_in_tokenizer

PART = "backbone"
WAY_OUT = (
    "give backbone.model=FOLDER, which has the model's open_clip_config.json and the files of its "
    "tokenizer"
)
CLIPS = "clips"  # a mode of open_clip's that marks start, end and class by itself


class HubTokenizer:
    """open_clip's wrapper around a tokenizer's files: it cleans texts, cuts and pads them."""

    def __init__(self, folder: Path, text: dict[str, Any]) -> None:
        """``text`` is the config of the text tower. Raises ValueError for files that are none."""
        self.context_length = int(text.get("context_length", 77))
        mode = text.get("tokenizer_mode")
        library(PART)
        with quiet(PART):
            try:
                self._own = HFTokenizer(
                    str(folder),
                    context_length=self.context_length,
                    tokenizer_mode=mode,
                    local_files_only=True,
                    **text.get("tokenizer_kwargs", {}),
                )
            except Exception as error:  # broken files lead the library to any
                said = " ".join(str(error).split()) or type(error).__name__
                raise ValueError(f"no tokenizer can be read of {folder}: {said[:300]}") from error

    @cached_property
    def special_tokens(self) -> int:
        """How many tokens mark start and end."""
        if self._own.tokenizer_mode == CLIPS:
            return 3
        return int(self._own.tokenizer.num_special_tokens_to_add())

    def encode(self, text: str) -> list[int]:
        """Token ids without those that mark start and end."""
        cleaned = self._own.clean_fn(text)
        ids: list[int] = self._own.tokenizer(cleaned, add_special_tokens=False)["input_ids"]
        return ids

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Token ids with start, end and padding."""
        ids: Tensor = self._own(list(texts))
        return ids


def hub_tokenizer(name: str, text: dict[str, Any], *, random: bool) -> HubTokenizer:
    """The tokenizer of a model: of its folder, of this machine, or downloaded.

    With random weights of a model whose folder has none it is a stand-in of single letters. Raises
    ValueError if the package `transformers` is not installed or the files are none,
    ConnectionError if there is no network.
    """
    folder = folder_of(name)
    if folder and any((folder / one).is_file() for one in TOKENIZER):
        return HubTokenizer(folder, text)
    if not random:
        return HubTokenizer(find_words(str(text["hf_tokenizer_name"]), PART, WAY_OUT), text)
    with TemporaryDirectory() as made:
        size = min(int(text.get("vocab_size", BERT_SIZE)), BERT_SIZE)
        stand_in_tokenizer(size, PART).save_pretrained(made)
        return HubTokenizer(Path(made), text)
