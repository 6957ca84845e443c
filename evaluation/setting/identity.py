"""Parts of a setting as plain data, under names that last, and hashes of them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from itertools import accumulate
from typing import Any

# What says where and how fast a number was computed, but not which number. The weights count by
# the hash of their file, which the record holds, and not by its path.
INCIDENTAL = {
    "root",
    "device",
    "place",
    "batch_size",
    "workers",
    "weights",
    "tuned",
    "missing",
    "compile",
}


def public_name(cls: type) -> str:
    """The name by which configs call a class: ``evaluation.data.Toy``.

    That is the outermost package that exports it, so that moving a file inside of its package
    changes no record. A class that no package exports is called by its module.
    """
    modules = accumulate(cls.__module__.split("."), lambda above, part: f"{above}.{part}")
    for module in modules:
        if getattr(sys.modules.get(module), cls.__qualname__, None) is cls:
            return f"{module}.{cls.__qualname__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def describe(value: object) -> Any:
    """An options object as plain data, with ``_target_`` for its class: the resolved config.

    Whatever built the object, run.py or Python, the same object gives the same description.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: describe(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
        return {"_target_": public_name(type(value)), **fields}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    return value


def deciding(description: Any) -> Any:
    """The part of a description that decides the numbers."""
    if isinstance(description, dict):
        left_out = INCIDENTAL if "_target_" in description else set()  # fields of objects only
        return {key: deciding(item) for key, item in description.items() if key not in left_out}
    if isinstance(description, list):
        return [deciding(item) for item in description]
    return description


def fingerprint(value: object) -> str:
    """Twelve hexadecimal digits for the content of plain data or of an options object."""
    text = json.dumps(deciding(describe(value)), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
