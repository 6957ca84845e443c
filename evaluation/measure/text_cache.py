"""Text embeddings, kept on disk: a vocabulary of thousands of words is embedded once."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.setting import Setting
from evaluation.setting.code import code_fingerprint
from evaluation.whole_files import write_whole

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.vocabulary import Queries


def embed_text(setting: Setting) -> Queries:
    """The setting's words, embedded; read from the cache if they were before.

    The key holds everything that the numbers depend on: code, model, weights, precision, kind of
    device, templates and words. A file that cannot be read is made again. The folder is
    ``GEM_CACHE``, else ``gem-bench`` in the user's cache; where nothing can be written nothing is
    kept. What the segmenter has no key for (random weights, no text at all) is not kept.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    segmenter, vocabulary = setting.segmenter, setting.class_vocabulary
    if segmenter.text_key is None:
        return vocabulary.with_text(segmenter.embed(vocabulary, setting.prompts))
    path = cache_folder() / f"{_key(setting)}.safetensors"
    try:
        text = load_file(path)["text"].to(segmenter.device)
    except (OSError, SafetensorError, KeyError):
        text = segmenter.embed(vocabulary, setting.prompts)
        _keep(text, path)
    return vocabulary.with_text(text)


def cache_folder() -> Path:
    """Where text embeddings are kept."""
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("GEM_CACHE") or Path(user) / "gem-bench") / "text"


def _key(setting: Setting) -> str:
    content = [
        code_fingerprint(),
        setting.segmenter.text_key,
        list(setting.prompts.templates),
        [word for _, word in setting.class_vocabulary.class_words],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


def _keep(text: Float[Tensor, "w e"], path: Path) -> None:
    from safetensors.torch import save

    with suppress(OSError):  # nowhere to keep it: embed again next time
        write_whole(path, lambda part: part.write(save({"text": text.contiguous()})))
