"""What a record and the parts of its setting are called."""

from __future__ import annotations

import re
from collections.abc import Mapping

from evaluation.setting import Setting

NAMES = ("dataset", "method", "title", "published", "options", "model", "protocol")
COLUMNS = (
    *NAMES, "weights", "images", "images_per_second", "device", "created", "commit", "dirty",
    "key", "notes", "file",
)  # fmt: skip
"""What a table of records calls their own parts: no score and no option takes such a name."""
LONGEST = 220  # bytes of a file's name; most disks take 255, and a part of a file has a longer one


def names_of(setting: Setting) -> dict[str, str]:
    """What the parts of a setting are called, as they say of themselves.

    The protocol is not that of the setting where the segmenter decides without it.
    """
    segmenter = setting.segmenter
    return {
        "dataset": setting.dataset.card.name,
        "method": re.sub(r"\W+", "_", segmenter.title.lower()).strip("_"),
        "title": segmenter.title,
        "published": segmenter.published,
        "options": segmenter.variant,
        "model": segmenter.provenance.model,
        "protocol": "its own" if segmenter.decides else setting.protocol.name,
    }


def file_name(names: Mapping[str, str], key: str) -> str:
    """What the file of a record is called: data set, method, model and key."""
    return "-".join((names["dataset"], names["method"], names["model"], key)) + ".json"


def check_names(names: dict[str, str]) -> dict[str, str]:
    """The same names. Raises ValueError for those that make no file name or no heading."""
    for name in ("dataset", "method", "model"):
        text = names[name]
        if not text or "/" in text or not text.isprintable():
            raise ValueError(f"{name} {text[:40]!r} cannot be part of a file name")
    if len(file_name(names, "0" * 12).encode()) > LONGEST:
        raise ValueError(f"dataset, method and model are too long for a file name of {LONGEST}")
    return names


def called(names: Mapping[str, str]) -> str:
    """A method with its options, as a line of a table names it: ``gem iters=3``."""
    return f"{names['method']} {names['options']}".strip()
