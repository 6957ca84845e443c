"""Why settings cannot run here: files that are missing, blocks that a tower does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from evaluation.tables.parts import data_of, models_of, source_name

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

    def once(part: object, check: Callable[[], Obstacle | None]) -> Obstacle | None:
        if part not in known:
            known[part] = check()
        return known[part]

    for setting in settings:
        data = once((setting.dataset, setting.limit), partial(_missing_data, setting))
        weights = [once(one, partial(_missing_weights, one)) for one in models_of(setting)]
        blocks = None if any(weights) else _missing_blocks(setting)
        if met := [one for one in (data, *weights, blocks) if one]:
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


def _missing_weights(model: Any) -> Obstacle | None:
    try:
        _ = model.provenance
    except (ValueError, OSError) as error:
        name = source_name(model)
        return Obstacle(f"needs weights: {name}", (f"{name}: {error}",))
    return None


def _missing_blocks(setting: Setting) -> Obstacle | None:
    """More blocks asked for than the tower has, by the model's config: nothing is loaded."""
    try:
        setting.segmenter.check(())
    except (ValueError, OSError) as error:
        return Obstacle(" ".join(str(error).split()).partition(": ")[2])
    return None
