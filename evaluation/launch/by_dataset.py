"""Values that differ by data set: ``${by_dataset:NAME,DEFAULT}`` in a config.

They stand in the node ``by_dataset`` of the config, under the name of a card: ``dataset.dataset``
says which is at hand. Each entry is an `evaluation.setting.DatasetValues`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from omegaconf import DictConfig, OmegaConf
from pydantic import ValidationError

from evaluation.places import CARDS
from evaluation.setting import DatasetValues

NODE = "by_dataset"
NAMES = tuple(field.name for field in dataclasses.fields(DatasetValues))


def register() -> None:
    """Make the values known to OmegaConf; configs that use them cannot be read before."""
    OmegaConf.register_new_resolver(NODE, value_of, replace=True)


def value_of(name: str, default: Any, *, _root_: DictConfig) -> Any:
    """The value that the data set at hand has, else the default. Raises ValueError for no name."""
    if name not in NAMES:
        raise ValueError(f"{NODE}:{name}: expected one of {', '.join(NAMES)}")
    values = _of(_root_, OmegaConf.select(_root_, "dataset.dataset"))
    return values.get(name, default)


def check_by_dataset(config: DictConfig) -> None:
    """Raise ValueError for an entry of a data set that is not known, or a value that is wrong."""
    node = OmegaConf.select(config, NODE)
    if node is not None and not isinstance(node, DictConfig):
        raise ValueError(f"{NODE}={node}: expected a data set's name, and its values below it")
    known = sorted(path.stem for path in CARDS.glob("*.yaml"))
    for dataset in map(str, node or {}):
        if dataset not in known:
            raise ValueError(
                f"{NODE}.{dataset}: no such data set, expected one of {', '.join(known)}"
            )
        _check(f"{NODE}.{dataset}", _of(config, dataset))


def _check(place: str, values: dict[Any, Any]) -> None:
    if unknown := [name for name in values if name not in NAMES]:
        raise ValueError(f"{place}.{unknown[0]}: expected one of {', '.join(NAMES)}")
    try:
        DatasetValues(**values)
    except ValidationError as error:
        wrong = error.errors()[0]
        said = wrong["msg"].removeprefix("Value error, ")
        key = ".".join([place, *map(str, wrong["loc"][:1])])
        raise ValueError(f"{key}={wrong['input']}: {said[:1].lower()}{said[1:]}") from None


def _of(config: DictConfig, dataset: object) -> dict[Any, Any]:
    """The entry of a data set; empty without one. Raises ValueError if it is no mapping."""
    node = OmegaConf.select(config, NODE)
    known = isinstance(node, DictConfig) and isinstance(dataset, str) and dataset in node
    found = node.get(dataset) if known else {}
    if isinstance(found, DictConfig):
        found = OmegaConf.to_container(found, resolve=True)
    if not isinstance(found, dict):
        raise ValueError(f"{NODE}.{dataset}={found}: expected values, each as NAME: VALUE")  # noqa: TRY004
    return found
