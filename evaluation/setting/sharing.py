"""Settings whose equal parts are one object, and settings without what their parts have loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from evaluation.setting.setting import Setting

T = TypeVar("T")


def share_parts(
    settings: Sequence[Setting], held: dict[object, Any] | None = None
) -> list[Setting]:
    """The same settings, in which equal models and data sets are one object: loaded once.

    held: those of earlier settings, by themselves; filled.
    """
    known: dict[object, Any] = {} if held is None else held
    found = []
    for setting in settings:
        segmenter = setting.segmenter.sharing(known)
        dataset = known.setdefault(setting.dataset, setting.dataset)
        found.append(replace(setting, segmenter=segmenter, dataset=dataset))
    return found


def bare(part: T) -> T:
    """An equal options object that holds no model and no listing: as if it was just built.

    For another process, which loads its own.
    """
    if isinstance(part, tuple):
        return type(part)(map(bare, part))
    if not is_dataclass(part) or isinstance(part, type):
        return part
    values = {one.name: bare(getattr(part, one.name)) for one in fields(part)}
    return type(part)(**values)


def unload_all(settings: Sequence[Setting], *, keep: Sequence[Setting]) -> None:
    """Free the models of settings that no other of those to ``keep`` needs, if there are others."""
    needed = {model for one in keep for model in one.segmenter.models}
    for setting in settings if keep else ():
        setting.segmenter.unload(keep=needed)
