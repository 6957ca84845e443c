"""What identifies a setting: its parts as plain data, and hashes of it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

# What says where and how fast a number was computed, but not which number. The weights count by
# the hash of their file, which the record holds, and not by its path.
INCIDENTAL = {"root", "device", "batch_size", "workers", "weights", "tuned", "missing"}


def describe(value: object) -> Any:
    """An options object as plain data, with ``_target_`` for its class: the resolved config.

    Whatever built the object, run.py or Python, the same object gives the same description.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: describe(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
        return {"_target_": f"{type(value).__module__}.{type(value).__qualname__}", **fields}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    return value


def identity(description: Any) -> Any:
    """The part of a description that decides the numbers."""
    if isinstance(description, dict):
        left_out = INCIDENTAL if "_target_" in description else set()  # fields of objects only
        return {key: identity(item) for key, item in description.items() if key not in left_out}
    if isinstance(description, list):
        return [identity(item) for item in description]
    return description


def fingerprint(value: object) -> str:
    """Twelve hexadecimal digits for the content of plain data or of an options object."""
    text = json.dumps(identity(describe(value)), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
