"""The sizes of BLIP's image tower, from its config: neither torch nor transformers is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gem.hub.files import CONFIG, config_content
from gem.tower import TowerShape

if TYPE_CHECKING:
    from gem.hub.model import HubModel

OWN = {"num_hidden_layers": 12, "patch_size": 16, "image_text_hidden_size": 256}
"""What `transformers` takes where a config says nothing."""


def shape_of(model: HubModel) -> TowerShape:
    """Sizes of the image tower of `gem.Blip`.

    Raises ValueError for a name whose sizes are not known or a config without whole numbers, and
    what `HubModel.folder` raises.
    """
    found = _content(model)
    vision = found.get("vision_config") or {}
    place = f"{model.folder / CONFIG}: " if model.folder else ""
    depth, side = (_size(vision, name, place) for name in ("num_hidden_layers", "patch_size"))
    width = _size(found, "image_text_hidden_size", place)
    return TowerShape(num_blocks=depth, patch_size=side, embedding=width)


def _content(model: HubModel) -> Mapping[str, Any]:
    """The content of the model's config, or what is known of its name."""
    if model.folder is not None:
        return config_content(model.folder, model.kinds, model.part)
    return model.known_sizes


def _size(part: Any, name: str, place: str) -> int:
    value = part.get(name, OWN[name]) if isinstance(part, Mapping) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 2**16:
        raise ValueError(f"{place}{name} is {value!r}, expected a whole number from 1 to 65536")
    return value
