"""Why settings cannot run here: files that are missing, blocks that a tower does not have."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.setting.identity import describe
from evaluation.tables.parts import data_of, method_of, model_of

if TYPE_CHECKING:
    from evaluation.setting import Setting


@dataclass(frozen=True)
class Obstacle:
    """Why a setting cannot run here: a few words for a table, and whole sentences."""

    short: str
    sentences: tuple[str, ...] = ()


def find_obstacles(settings: Iterable[Setting]) -> dict[Setting, Obstacle]:
    """The settings that cannot run here; each distinct model and data set is asked once."""
    found: dict[Setting, Obstacle] = {}
    known: dict[object, Obstacle | None] = {}
    for setting in settings:
        parts = {
            (setting.dataset, setting.limit): _missing_data,
            model_of(setting): _missing_weights,
        }
        for part, check in parts.items():
            if part not in known:
                known[part] = check(setting)
        asked = (*(known[part] for part in parts), _missing_blocks(setting))
        if met := [obstacle for obstacle in asked if obstacle]:
            sentences = tuple(line for obstacle in met for line in obstacle.sentences)
            found[setting] = Obstacle("; ".join(obstacle.short for obstacle in met), sentences)
    return found


def _missing_data(setting: Setting) -> Obstacle | None:
    try:
        setting.dataset.check(setting.ids)
    except (ValueError, OSError) as error:
        name = data_of(setting)
        return Obstacle(f"needs data: {name}", (f"{name}: {error}",))
    return None


def _missing_weights(setting: Setting) -> Obstacle | None:
    model = model_of(setting)
    try:
        _ = model.provenance
    except (ValueError, OSError) as error:
        parts = describe(model)
        name = f"{Path(str(parts['weights'])).name} of {Path(str(parts['model'])).name}"
        return Obstacle(f"needs weights: {name}", (f"{name}: {error}",))
    return None


def _missing_blocks(setting: Setting) -> Obstacle | None:
    """More blocks asked for than the tower has, by the model's config: nothing is loaded."""
    name = getattr(model_of(setting), "model", None)
    blocks = _tower_blocks(str(name)) if name else None
    if blocks is None or method_of(setting).reads <= blocks:
        return None
    return Obstacle(f"the tower has {blocks} blocks")


def _tower_blocks(model: str) -> int | None:
    """Blocks of the image tower of a model; None if its name says nothing."""
    import open_clip

    from gem.backbones.architecture import folder_of

    folder = folder_of(model)
    if folder is None:
        config = open_clip.get_model_config(model)
    else:
        path = folder / "open_clip_config.json"
        content = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        config = content.get("model_cfg")
    layers = config["vision_cfg"].get("layers") if config else None
    return layers if isinstance(layers, int) else None
