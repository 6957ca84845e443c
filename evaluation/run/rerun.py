"""A recorded setting, evaluated again: is every number the same?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from evaluation.records.checked import check_setting, make_record
from evaluation.records.rebuild import rebuild
from evaluation.records.record import Record
from evaluation.setting import Setting
from evaluation.setting.identity import INCIDENTAL

if TYPE_CHECKING:
    from evaluation.measure.evaluate import Advance

# What may be said anew: where things are; `repository` may be a local file, and a weight file in
# place of a tag does not say its activation. Whether it is the same content, the hashes tell.
MOVABLE = INCIDENTAL | {"repository", "quick_gelu"}
COMPARED = ("scores", "per_class", "counts", "images", "hashes")


@dataclass(frozen=True)
class Difference:
    """A value that is not the same; ``place`` is its field of the record, ``scores.miou``."""

    place: str
    recorded: object
    found: object


def setting_of(record: Record, moved: Mapping[str, Any]) -> Setting:
    """The setting of a record; ``moved`` says where files lie here, ``{"dataset.root": DIR}``.

    The parts of a segmenter are named without it, ``backbone.weights``, as on the command line.
    Raises ValueError for a key that the setting has not, or that decides the numbers.
    """
    description = deepcopy(record.setting)
    for key, value in moved.items():
        *above, name = key.split(".")
        parts = description["segmenter"]  # backbone.weights, as words of the command line have it
        owner: Any = parts if key.split(".")[0] in parts else description
        for part in above:
            owner = owner.get(part) if isinstance(owner, dict) else None
        if not isinstance(owner, dict) or name not in owner:
            raise ValueError(f"{key}: the record's setting has no such key")
        if name not in MOVABLE:
            can = ", ".join(sorted(MOVABLE))
            raise ValueError(f"{key} decides the numbers; what can be elsewhere here: {can}")
        owner[name] = value
    setting = rebuild(description)
    if not isinstance(setting, Setting):
        raise ValueError(f"the record's setting is a {type(setting).__name__}")  # noqa: TRY004
    return setting


def rerun(setting: Setting, advance: Advance = lambda _: None) -> Record:
    """Evaluate a setting without writing anything."""
    checked = check_setting(setting)
    from evaluation.measure.evaluate import evaluate

    return make_record(checked, evaluate(setting, advance))


def differences(recorded: Record, found: Record) -> list[Difference]:
    """Scores, counts, images and hashes that are not the same, in the order of the record.

    A hash that an older record lacks is not compared.
    """
    old, new = (_values(record) for record in (recorded, found))
    return [
        Difference(place, old.get(place), new.get(place))
        for place in dict.fromkeys([*old, *new])
        if (place in old or not place.startswith("hashes."))
        and (place not in old or place not in new or old[place] != new[place])
    ]


def _values(record: Record) -> dict[str, object]:
    """What is compared, by its place, as a file would hold it."""
    content = json.loads(json.dumps({name: asdict(record)[name] for name in COMPARED}))
    content["hashes"].pop("code", None)  # other code may well give the same numbers
    return {
        place: value
        for name, field in content.items()
        for place, value in (
            [(f"{name}.{key}", item) for key, item in field.items()]
            if isinstance(field, dict)
            else [(name, field)]
        )
    }
