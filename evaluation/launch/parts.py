"""From the nodes of a config to objects: only our own options are built, each where it belongs.

A YAML is a file from anywhere, and ``_target_`` names what is called with what it says. So nothing
is called but an options class of `gem` or `evaluation`, which computes nothing when it is built.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from evaluation.data import Dataset, Words
from evaluation.engines.engine import Engine
from evaluation.records.rebuild import options_class
from evaluation.setting import EvalProtocol, Metric
from evaluation.setting.identity import public_name
from evaluation.tracking.tracker import Tracker
from gem.backbones.backbone import Backbone
from gem.methods.method import Method
from gem.resize import Resize
from gem.segmenter import Segmenter
from gem.tower import Companion
from gem.vocabulary import Prompts

OF_HYDRA = {"_args_", "_partial_", "_recursive_", "_convert_"}  # change how a class is called
KINDS: dict[str, type] = {
    "backbone": Backbone, "companion": Companion, "method": Method, "segmenter": Segmenter,
    "dataset": Dataset, "protocol": EvalProtocol, "vocabulary": Words, "prompts": Prompts,
    "metric": Metric, "logger": Tracker, "engine": Engine,
}  # fmt: skip
"""What each part of the config must be: a class, or an interface."""
INSIDE: dict[type, dict[str, type]] = {
    Segmenter: {"backbone": Backbone, "method": Method}, Method: {"companion": Companion},
    EvalProtocol: {"resize": Resize},
}  # fmt: skip


def construct(node: DictConfig) -> Any:
    """The objects that a part of a config says.

    The only place that calls ``instantiate``: from Hydra 1.4 on it wants an allow-list.
    Raises ValueError for a ``_target_`` that is no options class of ours.
    """
    place = str(node._get_full_key(None))  # noqa: SLF001 OmegaConf has no public way to ask
    for key, value in _fields(OmegaConf.to_container(node, resolve=True), place):
        name = key.rpartition(".")[2]
        if name in OF_HYDRA:
            raise ValueError(f"{key}={value}: this config has no such key")
        if name == "_target_":
            _check_target(key, value)
    return instantiate(node, _convert_="all")


def check_part(key: str, part: object, kind: type) -> None:
    """Raise ValueError if what was built is not of a kind, or a part inside is not of its own."""
    if not dataclasses.is_dataclass(part) or isinstance(part, type):
        shown = "null" if part is None else part
        raise ValueError(f"{key}={shown}: expected options, each as {key}.NAME=VALUE")
    fields = {field.name for field in dataclasses.fields(part)}
    known = {*dir(type(part)), *fields}
    if lacking := sorted(_members(kind) - known):
        name = public_name(type(part))
        raise ValueError(f"{key}: {name} is no {kind.__name__}, it has no {lacking[0]}")
    for name, inner in INSIDE.get(kind, {}).items():
        if name in fields:
            check_part(f"{key}.{name}", getattr(part, name), inner)


def _check_target(key: str, target: object) -> None:
    try:
        options_class(target)
    except ValueError as error:
        said = str(error).rpartition(": ")[2]
        raise ValueError(f"{key}={target}: {said.replace('rebuilt', 'built')}") from None


def _fields(node: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every value of a config with its key."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in items:
        key = f"{place}.{name}"
        yield key, value
        if isinstance(value, dict | list):
            yield from _fields(value, key)


def _members(kind: type) -> set[str]:
    """What an interface promises, or what a class of ours has."""
    names = {*vars(kind), *vars(kind).get("__annotations__", {})}
    own = {name for name in names if not name.startswith("_")}
    return own | ({"__call__", "__getitem__"} & names)
