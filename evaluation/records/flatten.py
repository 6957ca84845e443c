"""Records as rows: one plain value per column, scores in percent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from evaluation.records.checked import other_code
from evaluation.records.names import COLUMNS
from evaluation.records.record import Record
from evaluation.setting.identity import deciding

Scalar = str | int | float | bool | None


def row(record: Record, scores: Collection[str] = ()) -> dict[str, Scalar]:
    """All of a record that fits into one line: names, scores, options, cost, origin.

    ``other_code`` names the files in which this code is another one than the record's.

    scores: the names of those of all records; an option of such a name is left out, for it would
    stand among them.
    """
    own: dict[str, Scalar] = {
        **named(record),
        "options": record.names["options"],
        "images": record.images,
        **percent(record),
        "images_per_second": record.images_per_second,
        "device": record.cost["device"],
        "created": record.created,
        "commit": record.code["commit"],
        "dirty": record.code["dirty"],
        "other_code": " ".join(other_code(record)) or None,
        "key": record.key,
    }
    taken = {*own, *scores, *COLUMNS}
    options = {name: value for name, value in flat(record.setting).items() if name not in taken}
    return {**own, **options, "notes": "; ".join(record.warnings)}


def named(record: Record) -> dict[str, Scalar]:
    """What the parts of a setting are called."""
    parts = {name: record.names[name] for name in ("dataset", "method", "model", "protocol")}
    return {**parts, "weights": record.model["weights"]}


def percent(record: Record) -> dict[str, Scalar]:
    """Scores in percent, the headline first."""
    return {name: None if value is None else 100 * value for name, value in record.scores.items()}


def flat(description: dict[str, Any]) -> dict[str, Scalar]:
    """Options by dotted name; an object that holds others has the name of its class.

    The parts of a segmenter have their own names (``method.iters``), as words of the command line
    have. Lists are text: ``qkv``, or with commas where an item is longer than a letter.
    """
    found: dict[str, Scalar] = {}
    for name, value in description.items():
        if name == "_target_":
            continue
        if isinstance(value, dict):
            if "_target_" in value:
                found[name] = value["_target_"].rsplit(".", 1)[-1]
            above = "" if name == "segmenter" else f"{name}."
            found |= {f"{above}{below}": item for below, item in flat(value).items()}
        elif isinstance(value, list):
            items = [str(item) for item in value]
            found[name] = ("" if all(len(item) == 1 for item in items) else ", ").join(items)
        else:
            found[name] = value
    return found


def ablation(records: Sequence[Record]) -> tuple[list[str], list[list[Scalar]]]:
    """The table of a sweep: columns, and a row per record.

    Columns are the names that differ, the options that differ between settings of the same name
    (the iterations of GEM, and not that CLIP has none), the images, and the scores that have a
    column, in percent; where nothing differs, the names.
    """
    rows = [decided(record) for record in records]
    varied = varied_names(rows) or list(named(records[0]))
    titles = titles_of(records)
    table = [
        [
            *(one.get(name) for name in varied),
            record.images,
            *(percent(record).get(name) for name in titles),
        ]
        for one, record in zip(rows, records, strict=True)
    ]
    return [*varied, "images", *(f"{title} (%)" for title in titles.values())], table


def decided(record: Record) -> dict[str, Scalar]:
    """What decides the numbers of a record: its options and the names of its parts."""
    return flat(deciding(record.setting)) | named(record)


def varied_names(rows: Sequence[dict[str, Scalar]]) -> list[str]:
    """The names and options of `decided` that differ among settings, names of parts first."""
    names = ("dataset", "method", "model", "protocol", "weights")
    every = dict.fromkeys([*names, *(name for one in rows for name in one)])
    return [name for name in every if _varies(name, rows)]


def titles_of(records: Sequence[Record]) -> dict[str, str]:
    """The scores that have a column in any of the records, by name, in their order."""
    return {name: title for record in records for name, title in record.titles.items()}


def _varies(name: str, rows: Sequence[dict[str, Scalar]]) -> bool:
    """Whether a column has several values among the rows whose owner of it has one name."""
    owner, dot, _ = name.partition(".")
    found: dict[Scalar, set[Scalar]] = {}
    for one in rows:
        found.setdefault(one.get(owner) if dot else None, set()).add(one.get(name))
    return any(len(values) > 1 for values in found.values())
