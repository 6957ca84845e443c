"""The types of a record's fields: what a file must hold before anything reads it."""

from __future__ import annotations

import re
import reprlib
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict, TypeAdapter, ValidationError

from evaluation.records.names import COLUMNS, NAMES, check_names
from gem.options import Count, Flag, Fraction

PARTS = ("segmenter", "dataset", "protocol", "prompts", "metric")  # of a setting, each an object
CREATED = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d([+-]\d\d:\d\d|Z)?)?")
SCORE = re.compile(r"[A-Za-z_]\w*")
Amount = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
COUNTS = TypeAdapter[Any](
    list[Count] | list[list[Count]] | list[list[list[Count]]] | list[Fraction]
)


def _having(*names: str) -> AfterValidator:
    """A validator that asks for entries of these names."""

    def check(found: dict[str, Any]) -> dict[str, Any]:
        if missing := [name for name in names if name not in found]:
            raise ValueError(f"expected {missing[0]}")
        return found

    return AfterValidator(check)


def _typed(**types: Any) -> AfterValidator:
    """A validator that asks for types of the entries of these names, where they are there."""
    adapters = {name: TypeAdapter[Any](kind) for name, kind in types.items()}

    def check(found: dict[str, Any]) -> dict[str, Any]:
        for name, adapter in adapters.items():
            if name in found:
                try:
                    adapter.validate_python(found[name])
                except ValidationError as error:
                    raise ValueError(in_words(error, name)) from None
        return found

    return AfterValidator(check)


def _check_scores(found: dict[str, Any]) -> dict[str, Any]:
    for name in found:
        if not SCORE.fullmatch(name) or name in COLUMNS:
            raise ValueError(f"{short(name)} cannot be the name of a score")
    return found


def _check_cost(found: dict[str, Any]) -> dict[str, Any]:
    for name, value in found.items():
        if type(value) not in {int, float, str}:
            raise ValueError(f"expected text or a number for {_name(name)}, found {short(value)}")
    return found


def _check_counts(found: list[Any]) -> list[Any]:
    """Whole numbers, or the shares of a curve, in rows of one length."""
    try:
        COUNTS.validate_python(found)
    except ValidationError:
        raise ValueError("expected whole numbers of 0 or more") from None
    if _ragged(found):
        raise ValueError("expected rows of one length")
    return found


def _ragged(rows: list[Any]) -> bool:
    inner = [row for row in rows if isinstance(row, list)]
    return len(set(map(len, inner))) > 1 or any(map(_ragged, inner))


def _check_created(text: str) -> str:
    if not CREATED.fullmatch(text):
        raise ValueError("expected a date such as 2026-01-02T03:04:05+00:00")
    datetime.fromisoformat(text)  # the 31st of February is a ValueError too
    return text


def _check_setting(found: dict[str, Any]) -> dict[str, Any]:
    """The parts that every reader of settings looks at are objects, named by their classes."""
    for name in PARTS:
        if not isinstance(found.get(name), dict) or "_target_" not in found[name]:
            raise ValueError(f"expected an object with _target_ for {name}")
    _check_targets(found)
    return found


def _check_targets(value: Any) -> None:
    target = value.get("_target_", "") if isinstance(value, dict) else ""
    if not isinstance(target, str):
        raise ValueError(f"expected text for _target_, found {short(target)}")  # noqa: TRY004
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_targets(item)


Key = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Names = Annotated[dict[str, str], _having(*NAMES), AfterValidator(check_names)]
Description = Annotated[dict[str, Any], _having("_target_"), AfterValidator(_check_setting)]
Shares = dict[str, Fraction | None]
Scores = Annotated[Shares, AfterValidator(_check_scores)]
Counts = dict[str, Annotated[list[Any], AfterValidator(_check_counts)]]
Model = Annotated[
    dict[str, str | None], _having("name", "weights", "sha256"), _typed(name=str, weights=str)
]
Cost = Annotated[
    dict[str, Any],
    AfterValidator(_check_cost),
    _having("images_per_second", "device"),
    _typed(images_per_second=Amount, device=str, settings_in_pass=Count),
]
Code = Annotated[
    dict[str, Any],
    _having("commit", "dirty"),
    _typed(
        commit=str | None,
        dirty=Flag,
        python=str,
        version=str | None,
        packages=dict[str, str],
        files=dict[str, str],
    ),
]
Created = Annotated[str, AfterValidator(_check_created)]


def in_words(error: ValidationError, above: str = "") -> str:
    """The first mistake: where, what was expected, what was found."""
    first = error.errors(include_url=False)[0]
    place = ".".join(filter(None, [above, *map(_name, first["loc"])]))
    said = first["msg"].removeprefix("Value error, ")
    said = said[:1].lower() + said[1:]
    own = first["type"] in {"value_error", "missing", "unexpected_keyword_argument"}
    return f"{place}: {said}" + ("" if own else f", found {short(first['input'])}")


def _name(part: object) -> str:
    text = str(part)
    return text if text.isprintable() and len(text) <= 40 else short(text)


def short(value: object) -> str:
    """A value of whatever kind in a few words, to stand in a sentence."""
    kinds: dict[type, str] = {dict: "an object", list: "a list", type(None): "null"}
    written = reprlib.Repr()
    written.maxstring = written.maxother = 80
    return kinds.get(type(value)) or written.repr(value)
