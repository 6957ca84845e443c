"""What a metric says, with the name that it has in tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """One number of an evaluation, declared by the metric that computes it.

    name: the key in records. title: how tables call it. value: a share in [0, 1], nan where
    nothing of the kind occurred. column: whether tables have a column for it; a number that is
    not (one reading of many, say) stays in the record and in its panel of the report.
    """

    name: str
    title: str
    value: float
    column: bool = True
