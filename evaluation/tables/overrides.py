"""Overrides of the command line, ``gem.iters=3``, as data: their keys and values, and merging."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from evaluation.places import CONFIGS

POINTS = {"toy": "toy_points"}  # drawn scenes: the points of a data set of masks
DRAWN = {*POINTS, *POINTS.values()}


def key_of(override: str) -> str:
    """The key of an override: ``gem.iters`` of ``gem.iters=3``."""
    return override.partition("=")[0].lstrip("+~")


def value_of(overrides: Sequence[str], key: str) -> str | None:
    """The value that the overrides give a key; None if they do not."""
    found = [override.partition("=")[2] for override in overrides if key_of(override) == key]
    return found[-1] if found else None


def without(overrides: Iterable[str], *keys: str) -> tuple[str, ...]:
    """The overrides without those of the keys and of the options below them."""
    below = tuple(f"{key}." for key in keys)
    return tuple(one for one in overrides if not f"{key_of(one)}.".startswith(below))


def merge(published: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """Published overrides with the user's, which win.

    A given data set, backbone or protocol also replaces the published options of it, a given
    experiment the protocol, its words and its prompts, a method that is not GEM the options of GEM.
    Backbone and method mean nothing to a published segmenter that reads none.
    """
    given = for_segmenter(published, given)
    replaced = [key_of(override) for override in given]
    if "experiment" in replaced:
        replaced += ["protocol", "vocabulary", "prompts"]
    if not (value_of(given, "method") or "gem").startswith("gem"):
        replaced.append("gem")
    return (*without(published, *replaced), *given)


def for_segmenter(published: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """The user's overrides without the parts that a published segmenter, by its YAML, has not."""
    name = value_of(given, "segmenter") or value_of(published, "segmenter")
    path = CONFIGS / "segmenter" / f"{name}.yaml"
    if name is None or not path.is_file():
        return tuple(given)
    written = path.read_text(encoding="utf-8")
    unread = [part for part in ("backbone", "method") if f"${{{part}}}" not in written]
    keys = (*unread, *(("gem", "companion") if "method" in unread else ()))
    return without(given, *keys)


def for_score(given: Sequence[str], score: str) -> tuple[str, ...]:
    """The overrides of a cell of that score: for points, with the points of a data set of both."""
    twins = {f"dataset={one}": f"dataset={points}" for one, points in POINTS.items()}
    return tuple(one if score == "miou" else twins.get(one, one) for one in given)


def weights_file(given: Sequence[str]) -> str | None:
    """The file of weights that the overrides give; None if they give none, a tag, or null."""
    weights = value_of(given, "backbone.weights") or ""
    return weights if Path(weights).suffix else None
