"""The parts of a setting that tables compare; the only place here that knows how it is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.data import task_of
from evaluation.setting import Setting
from evaluation.setting.identity import describe
from gem.methods import Gem

LARGER_THAN_IMAGES = 4096  # a window by which a protocol says that an image is seen whole


def model_of(setting: Setting) -> Any:
    """The model that is evaluated: a backbone, or the first model of a segmenter that has none."""
    return getattr(setting.segmenter, "backbone", models_of(setting)[0])


def method_of(setting: Setting) -> Any:
    """The method that reads the backbone, or a segmenter that has none."""
    return getattr(setting.segmenter, "method", setting.segmenter)


def reads_backbone(setting: Setting) -> bool:
    """Whether the segmenter has one; others keep their own model, whatever backbone is given."""
    return hasattr(setting.segmenter, "backbone")


def weights_in(description: Mapping[str, Any]) -> object:
    """The name of the weights in the description of a setting, such as records hold."""
    segmenter = description["segmenter"]
    owner = segmenter.get("backbone", segmenter)
    return owner.get("weights") if isinstance(owner, dict) else None  # a record is from anywhere


def models_of(setting: Setting) -> list[Any]:
    """All models of the segmenter; one that reads files is its own."""
    return list(setting.segmenter.models) or [setting.segmenter]


def source_name(model: Any) -> str:
    """The weights and the model as a person calls them: ``openai of ViT-B-16``."""
    parts = describe(model)
    weights = Path(str(parts.get("weights", parts.get("root")))).name
    return f"{weights} of {Path(str(parts.get('model', parts['_target_']))).name}"


def data_of(setting: Setting) -> str:
    """The name of the data set; the cards of some read files, which may not be here."""
    return str(getattr(setting.dataset, "dataset", None) or setting.dataset.card.name)


def source_of(setting: Setting) -> tuple[object, ...]:
    """Data set, model and weights: where these differ from the paper's, numbers do not compare."""
    model = model_of(setting)
    return data_of(setting), getattr(model, "model", None), getattr(model, "weights", None)


def has_points(setting: Setting) -> bool:
    """Whether the truth of the data set is points and not masks."""
    return task_of(setting.dataset) == "points"


def uses_gem(setting: Setting) -> bool:
    """Whether the method is GEM, with whatever options."""
    return isinstance(method_of(setting), Gem)


def traits_of(setting: Setting) -> dict[str, object]:
    """What may tell a row of a table from another, by the key that sets it."""
    method, key = method_of(setting), "gem" if uses_gem(setting) else "method"
    options = [option.name for option in dataclasses.fields(method)]
    own = {f"{key}.{name}": getattr(method, name) for name in options}
    asked = {"vocabulary": setting.vocabulary.family, "prompts": setting.prompts.templates}
    under = {"protocol": setting.protocol.name, **asked}
    kinds = {"method": type(method), "segmenter": type(setting.segmenter)}
    return {**kinds, **own, "backbone": source_of(setting)[1:], **under}


def conditions_of(setting: Setting) -> str:
    """Protocol, words and prompts in a line, with the geometry that depends on the data set."""
    protocol, prompts = setting.protocol, len(setting.prompts.templates)
    windows, size = protocol.windows, getattr(protocol.resize, "size", "?")
    seen = "whole image"
    if windows and windows.size < LARGER_THAN_IMAGES:
        seen = f"windows of {windows.size} every {windows.stride}"
    asked = f"words {setting.vocabulary.family}, {prompts} prompt{'s' * (prompts > 1)}"
    refined = " with PAMR" if protocol.pamr else ""
    return f"protocol {protocol.name}{refined} ({size} pixels, {seen}), {asked}"
