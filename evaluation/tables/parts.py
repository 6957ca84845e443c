"""The parts of a setting that tables compare; the only place here that knows how it is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from evaluation.data import PointLabels, ToyPoints
from evaluation.setting import Setting
from gem.backbones import Backbone
from gem.methods import Gem, Method


def model_of(setting: Setting) -> Backbone:
    """The model that is evaluated."""
    return setting.backbone


def method_of(setting: Setting) -> Method:
    """The method that reads the model."""
    return setting.method


def weights_in(description: Mapping[str, Any]) -> object:
    """The name of the weights in the description of a setting, such as records hold."""
    return description["backbone"].get("weights")


def data_of(setting: Setting) -> str:
    """The name of the data set; the cards of some read files, which may not be here."""
    return str(getattr(setting.dataset, "dataset", None) or setting.dataset.card.name)


def source_of(setting: Setting) -> tuple[object, ...]:
    """Data set, model and weights: where these differ from the paper's, numbers do not compare."""
    model = model_of(setting)
    return data_of(setting), getattr(model, "model", None), getattr(model, "weights", None)


def has_points(setting: Setting) -> bool:
    """Whether the truth of the data set is points and not masks."""
    return isinstance(setting.dataset, PointLabels | ToyPoints)


def uses_gem(setting: Setting) -> bool:
    """Whether the method is GEM, with whatever options."""
    return isinstance(method_of(setting), Gem)


def traits_of(setting: Setting) -> dict[str, object]:
    """What may tell a row of a table from another, by the key that sets it."""
    method: Any = method_of(setting)
    options = dataclasses.fields(method) if uses_gem(setting) else ()
    own = {f"gem.{option.name}": getattr(method, option.name) for option in options}
    return {"method": type(method), **own, "backbone": source_of(setting)[1:]}
