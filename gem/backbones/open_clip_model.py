"""From a model's name to an empty model of open_clip: what is supported, and how it is built."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip import CLIP, CustomTextCLIP
from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

from gem.backbones.model_config import CONFIG, check_supported, config_of, folder_of


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
