"""Text embeddings, kept on disk: a vocabulary of thousands of words is embedded once."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.console import note
from evaluation.setting import Setting
from evaluation.setting.code import code_files, code_fingerprint
from evaluation.setting.identity import describe
from evaluation.whole_files import write_whole
from gem.vocabulary import check_text

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from gem.vocabulary import Queries

UNIT = 1e-2  # how far the length of a kept embedding may be from 1


def embed_text(setting: Setting) -> Queries:
    """The setting's words, embedded; read from the cache if they were before.

    The key holds everything that the numbers depend on: code, model, weights, precision, kind of
    device, templates and words. What is read is believed only if it is what was written, by its
    key and its hash, and looks like embeddings; else a note is printed and it is made again. The
    folder is ``GEM_CACHE``, else ``gem-bench`` in the user's cache; where nothing can be written
    nothing is kept. What the segmenter has no key for (random weights, no text at all) is not kept.

    Raises ValueError, naming the word, for an embedding that is not finite.
    """
    vocabulary = setting.class_vocabulary
    words = [word for _, word in vocabulary.class_words]
    if setting.segmenter.text_key is None:
        text = setting.segmenter.embed(vocabulary, setting.prompts)
        check_text(text, words)
        return vocabulary.with_text(text)
    key = _key(setting)
    path = cache_folder() / f"{key}.safetensors"
    held = _read(path, key, len(words))
    if held is None:
        held = setting.segmenter.embed(vocabulary, setting.prompts)
        check_text(held, words)
        _keep(held, path, key)
    return vocabulary.with_text(held.to(setting.segmenter.device))


def text_digest(text: Float[Tensor, "w e"]) -> str:
    """The sha256 of embeddings, as the bytes of float32 on a little-endian machine."""
    return hashlib.sha256(text.float().cpu().numpy().astype("<f4").tobytes()).hexdigest()


def cache_folder() -> Path:
    """Where text embeddings are kept."""
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("GEM_CACHE") or Path(user) / "gem-bench") / "text"


def _key(setting: Setting) -> str:
    own = describe(setting.segmenter)
    if isinstance(own, dict):  # words are embedded without the method
        own = {name: part for name, part in own.items() if name != "method"}
    content = [
        code_fingerprint(code_files(own, "")),
        setting.segmenter.text_key,
        list(setting.prompts.templates),
        [word for _, word in setting.class_vocabulary.class_words],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


def _read(path: Path, key: str, words: int) -> Float[Tensor, "w e"] | None:
    """What is kept under a key; None if nothing is, or with a note if it cannot be believed."""
    from safetensors import SafetensorError, safe_open

    try:
        if not path.is_file():
            return None
        with safe_open(path, "pt") as file:
            said: dict[str, str] = file.metadata() or {}
            text: Tensor = file.get_tensor("text").clone()
        wrong = _wrong(text, said, key, words)
    except (SafetensorError, OSError, ValueError) as error:
        wrong = f"cannot be read ({' '.join(str(error).split())})"
    if wrong is None:
        return text
    note(f"the text embeddings in {path} {wrong}: they are made again")
    return None


def _wrong(text: Tensor, said: dict[str, str], key: str, words: int) -> str | None:
    """What shows that kept embeddings are not those that were written; None if they are."""
    if not text.is_floating_point() or text.ndim != 2 or len(text) != words:
        return f"have the shape {tuple(text.shape)} and {text.dtype}, expected {words} words"
    if text.shape[1] and not ((text.float().norm(dim=1) - 1).abs() <= UNIT).all():  # nan neither
        return "are not all finite and of length 1"
    if said != {"key": key, "sha256": text_digest(text)}:
        return "are not what was written"
    return None


def _keep(text: Float[Tensor, "w e"], path: Path, key: str) -> None:
    from safetensors.torch import save

    text = text.cpu().contiguous()
    content = save({"text": text}, {"key": key, "sha256": text_digest(text)})
    with suppress(OSError):  # nowhere to keep it: embed again next time
        write_whole(path, lambda part: part.write(content))
