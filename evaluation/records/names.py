"""What a record and the parts of its setting are called."""

from __future__ import annotations

import re
from collections.abc import Mapping

from evaluation.setting import Setting

NAMES = ("dataset", "method", "title", "published", "options", "model", "protocol")


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


def called(names: Mapping[str, str]) -> str:
    """A method with its options, as a line of a table names it: ``gem iters=3``."""
    return f"{names['method']} {names['options']}".strip()
