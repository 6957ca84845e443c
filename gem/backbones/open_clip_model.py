"""From a model's name to an empty model of open_clip: what is supported, and how it is built."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import open_clip
import torch
from open_clip import CLIP, CustomTextCLIP
from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model
from torch import Tensor

from gem.backbones.model_config import CONFIG, WORDS, check_supported, config_of, folder_of
from gem.backbones.word_tokenizer import WordTokenizer


class Tokenizer(Protocol):
    """open_clip's byte-pair tokenizer, or our `WordTokenizer` or `HubTokenizer`."""

    context_length: int

    def encode(self, text: str) -> list[int]:
        """Token ids without start and end."""

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Token ids with start, end and padding."""


def new_model(
    name: str,
    tag: str | None,
    *,
    quick_gelu: bool,
    device: torch.device,
    precision: str,
    seed: int,
) -> CLIP | CustomTextCLIP:
    """An untrained model with the parameters of the seed; the caller's RNG is left alone.

    ``tag`` names the weights that will be loaded, if they have a tag: images are normalised as
    these were trained. Raises ValueError for a name that open_clip does not know and for towers
    that are not supported: ResNet, attention pooling, q-k norm.
    """
    check_supported(name, config_of(name))
    folder = folder_of(name)
    with torch.random.fork_rng(devices=[]), _quiet(), built_of(folder and folder / CONFIG):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed seeds the GPU too
        model: CLIP | CustomTextCLIP = open_clip.create_model(
            f"local-dir:{folder}" if folder else name,
            load_weights=False,
            quick_gelu=quick_gelu,  # force_quick_gelu could not turn off that of a -quickgelu name
            force_preprocess_cfg=statistics_of(name, tag),
            precision=precision,
            device=device,
        )
    return model.eval().requires_grad_(False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without open_clip's warning that it loads no weights: we do, later."""
    loud = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(loud)


@contextmanager
def built_of(path: Path | None) -> Iterator[None]:
    """Around what is built of a config's file: what it can raise becomes one ValueError."""
    try:
        yield
    except Exception as error:  # open_clip believes every value of a config, torch some of them
        if path is None:
            raise
        said = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"no model can be built of {path}: {said}") from error


def new_tokenizer(name: str, *, random: bool = False) -> Tokenizer:
    """The tokenizer of the model: whole words if its folder has a ``vocabulary.txt``.

    ``random`` says that the weights are, so that a tokenizer may stand in for one that is not here.
    """
    folder, text = folder_of(name), config_of(name)["text_cfg"]
    if folder and (folder / WORDS).is_file():
        with built_of(folder / CONFIG):
            length = int(text["context_length"])
        try:
            return WordTokenizer((folder / WORDS).read_text("utf-8").split(), length)
        except ValueError as error:
            raise ValueError(f"{folder / WORDS} is no list of words: {error}") from error
    if text.get("hf_tokenizer_name"):
        from gem.backbones.hub_tokenizer import hub_tokenizer

        return hub_tokenizer(name, text, random=random)
    tokenizer: Tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}" if folder else name)
    return tokenizer


def room_of(tokenizer: Tokenizer) -> int:
    """How many tokens a prompt may have beside those that mark its start and end."""
    return tokenizer.context_length - int(getattr(tokenizer, "special_tokens", 2))


def statistics_of(name: str, tag: str | None) -> dict[str, Any]:
    """How the images of a model's weights were normalised, as open_clip knows it by their tag.

    Weights of a file or of a seed have none: then it is what all tags of the model say, if they
    agree, as those of SigLIP do.
    """
    tags = {one: get_pretrained_cfg(name, one) for one in list_pretrained_tags_by_model(name)}
    ways = [
        {key: way[key] for key in ("mean", "std") if key in way}
        for one, way in tags.items()
        if one == tag or tag not in tags
    ]
    return ways[0] if ways and all(way == ways[0] for way in ways) else {}
