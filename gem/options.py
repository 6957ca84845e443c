"""Typed options: frozen dataclasses whose values are checked when they are built.

Everything that a config can set is one of these. Building one touches no weights and no files and
imports no torch, so that a mistake in a config is answered at once.
"""

from dataclasses import MISSING, fields
from dataclasses import Field as DataclassField
from typing import Annotated, Any, TypeVar, dataclass_transform

from pydantic import AfterValidator, ConfigDict, Field, Strict
from pydantic.dataclasses import dataclass as pydantic_dataclass

T = TypeVar("T")
Count = Annotated[int, Strict(), Field(ge=0)]
PositiveInt = Annotated[int, Strict(), Field(ge=1)]
Iterations = Annotated[int, Strict(), Field(ge=0, le=1000)]  # what needs more is a slip of the key
Pixels = Annotated[int, Strict(), Field(ge=1, le=8192)]  # a side of what a model sees at once
Seed = Annotated[int, Strict(), Field(ge=0, le=2**63 - 1)]
SINGLE = (1.2e-38, 3.4e38)  # the positive numbers that float32 holds at full precision
HALF = (6.1e-5, 65504.0)  # the same of float16


def between(low: float, high: float) -> AfterValidator:
    """The rule that a number lies in [low, high], for `Annotated`; nan does not."""

    def check(value: float) -> float:
        if not low <= value <= high:
            raise ValueError(f"expected a number from {low:g} to {high:g}")
        return value

    return AfterValidator(check)


Positive = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
Factor = Annotated[float, Strict(), between(*SINGLE)]  # what tensors are multiplied with
Weight = Annotated[float, Strict(), between(0, 1e6)]  # of a term in a sum
Fraction = Annotated[float, Strict(), Field(ge=0, le=1)]
Flag = Annotated[bool, Strict()]


@dataclass_transform(frozen_default=True, kw_only_default=True)
def options(cls: type[T]) -> type[T]:
    """Make ``cls`` a frozen, keyword-only dataclass that refuses wrong types, ranges and names."""
    config: Any = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    decorate: Any = pydantic_dataclass(frozen=True, kw_only=True, config=config)
    built: type[T] = decorate(cls)
    return built


def changed(parts: Any) -> str:
    """The fields of an options object that are not their defaults: ``iters=3 projections=qk``."""
    found = [
        (field.name, value)
        for field in fields(parts)
        if (value := getattr(parts, field.name)) != _default(field)
    ]
    return " ".join(f"{name}={_short(value)}" for name, value in found)


def _default(field: DataclassField[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _short(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, tuple) else str(value)
